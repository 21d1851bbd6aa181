# Shared by the scripts of this folder: builds once, starts and stops a silo on ports of its own, calls zs.
# Usage: . lib.sh; then start_silo [OPTIONS], zs VERB..., stop_silo, kill_silo. All in $work, removed at the end.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
silo_dll=$top/silo/bin/Release/net10.0/ZeroStor.Silo.dll
zs_dll=$top/client/zs/bin/Release/net10.0/zs.dll
work=$(mktemp -d "${TMPDIR:-/tmp}/zerostor-real.XXXXXX")
data=$work/data
gateway_port=${GATEWAY_PORT:-30377}
port=${PORT:-11377}
silo_pid=
export ZS_GATEWAY=127.0.0.1:$gateway_port

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; tail -n 20 "$work/silo.log" >&2 || true; exit 1; }

build() {
    dotnet build -c Release "$top/silo" -v quiet --nologo -clp:ErrorsOnly
    dotnet build -c Release "$top/client/zs" -v quiet --nologo -clp:ErrorsOnly
}

zs() { dotnet "$zs_dll" "$@"; }

start_silo() {
    # Else that one would be what is tested.
    if (exec 3<>"/dev/tcp/127.0.0.1/$gateway_port") 2>/dev/null; then
        fail "something else answers at port $gateway_port: end it, or give PORT and GATEWAY_PORT"
    fi
    dotnet "$silo_dll" --data "$data" --port "$port" --gateway-port "$gateway_port" "$@" >>"$work/silo.log" 2>&1 &
    silo_pid=$!
    for _ in $(seq 100); do
        if zs status --json >"$work/status.json" 2>/dev/null; then return; fi
        kill -0 "$silo_pid" 2>/dev/null || fail "the silo ended at its start"
    done
    fail "the silo did not come up"
}

stop_silo() { kill -TERM "$silo_pid"; wait "$silo_pid" || fail "the silo did not stop cleanly"; silo_pid=; }
kill_silo() { kill -KILL "$silo_pid"; wait "$silo_pid" 2>/dev/null || true; silo_pid=; }

# status .path: a number out of zs status --json
status() { zs status --json | node -e "const s=JSON.parse(require('fs').readFileSync(0));console.log(s$1)"; }
peak_mib() { awk '/VmHWM/ {print int($2/1024)}' "/proc/$1/status"; }

cleanup() { [ -z "$silo_pid" ] || kill -KILL "$silo_pid" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
build
