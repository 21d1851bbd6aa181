# Shared by the scripts that try S3: one silo of 24 disks, or with FABRIC=7 seven of four disks on PostgreSQL, in seven
# sites, with S3 on the first. Usage: . s3.sh; then start_s3, s3load VERB..., stop_s3.
. "$(dirname "${BASH_SOURCE[0]}")/$([ -n "${FABRIC:-}" ] && echo dev.sh || echo lib.sh)"
s3_port=${S3_PORT:-9377}
url=http://127.0.0.1:$s3_port
s3load_dll=$top/tests/ZeroStor.S3Load/bin/Release/net10.0/ZeroStor.S3Load.dll
mnt=$work/mnt

start_s3() {
    dotnet build -c Release "$top/tests/ZeroStor.S3Load" -v quiet --nologo -clp:ErrorsOnly
    if [ -n "${FABRIC:-}" ]; then
        ZeroStor__S3=127.0.0.1:$s3_port zs dev up --silos "$FABRIC" --sites "$FABRIC" --disks-per-silo 4 \
            --silo-path "$silo" --data "$dev" >"$work/up.log" || fail "$(tail -n 1 "$work/up.log")"
        credentials=$dev/silo1/keys/s3-credentials
        log=$dev/silo1/silo.log
        gateway=$(node -p "require('$XDG_CONFIG_HOME/zerostor/context.json').gateway")
        s3_pid=$(pid_of silo1)
        doomed=("$dev"/silo{2,3,4,5}/disk02)
        say "$FABRIC silos on PostgreSQL"
    else
        start_silo --s3 "127.0.0.1:$s3_port"
        credentials=$data/keys/s3-credentials
        log=$work/silo.log
        gateway=$ZS_GATEWAY
        s3_pid=$silo_pid
        doomed=("$data"/disk{03,07,11,24})
        say "one silo"
    fi
    for _ in $(seq 50); do [ -s "$credentials" ] && break; sleep 0.2; done
    access=$(awk '/access_key_id/ {print $3}' "$credentials")
    secret=$(awk '/secret/ {print $3}' "$credentials")
}

s3load() { dotnet "$s3load_dll" "$@" --url "$url" --credentials "$credentials" --pid "$s3_pid"; }

stop_s3() { if [ -n "${FABRIC:-}" ]; then zs dev down --data "$dev" >/dev/null; else stop_silo; fi; }

# What is mounted must be let go before what it shows may be removed.
trap 'fusermount -uz "$mnt" 2>/dev/null || true; cleanup' EXIT
