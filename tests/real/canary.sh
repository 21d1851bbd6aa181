#!/usr/bin/env bash
# Random bytes are put into a vault whose owner keeps the keys, while the traffic of the loopback is captured and, in the
# middle of the put, the silo's memory is dumped. No 32 of them in a row are in the disks, the catalog, the logs, the dump
# or the capture. The same search finds bytes that are planted, and finds the content in dump and capture of the same put
# into a vault whose keys the fabric keeps: or it would prove nothing.
# Usage: canary.sh [MIB]   (default 8; as root, for the capture and the dump)
for tool in gcore python3; do command -v "$tool" >/dev/null || { echo "This needs $tool." >&2; exit 1; }; done
[ "$(id -u)" = 0 ] || { echo "This needs root: it captures the loopback and dumps a process." >&2; exit 1; }
. "$(dirname "$0")/lib.sh"
mib=${1:-8}
load_dll=$top/tests/ZeroStor.Load/bin/Release/net10.0/ZeroStor.Load.dll
dotnet build -c Release "$top/tests/ZeroStor.Load" -v quiet --nologo -clp:ErrorsOnly
export XDG_CONFIG_HOME=$work/config
found() { dotnet "$load_dll" search "$@" | node -p 'JSON.parse(require("fs").readFileSync(0)).hits'; }
searched() { dotnet "$load_dll" search "$@" | node -p '(s=>`${s.hits} slices found in ${(s.bytes/2**20).toFixed(0)} MiB of ${s.files} files`)(JSON.parse(require("fs").readFileSync(0)))'; }

# Everything that goes over the loopback, into a file, until it is killed.
capture() {
    python3 - "$1" <<'PY' &
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
link.setsockopt(socket.SOL_SOCKET, 33, 256 * 1024 * 1024)  # SO_RCVBUFFORCE
link.bind(("lo", 0))
with open(sys.argv[1], "wb", buffering=1 << 20) as out:
    open(sys.argv[1] + ".on", "w").close()
    while True:
        out.write(link.recv(1 << 17))
        out.flush()
PY
    capture_pid=$!
    until [ -e "$1.on" ]; do sleep 0.1; done
}

# put_watched VAULT: puts the content slowly; half-way the silo is dumped.
put_watched() {
    local vault=$1
    head -c $(( mib * 1024 * 1024 )) /dev/urandom >"$work/content.$vault"
    capture "$work/capture.$vault"
    mkfifo "$work/pipe.$vault"
    zs put - "$vault/object" <"$work/pipe.$vault" >/dev/null &
    local putting=$!
    {
        head -c $(( mib * 512 * 1024 )) "$work/content.$vault"
        sleep 3
        gcore -o "$work/core.$vault" "$silo_pid" >/dev/null 2>&1
        tail -c +$(( mib * 512 * 1024 + 1 )) "$work/content.$vault"
    } >"$work/pipe.$vault"
    wait "$putting" || fail "the put into $vault failed"
    zs get "$vault/object" - | cmp -s - "$work/content.$vault" || fail "what was got from $vault differs"
    sleep 1
    kill "$capture_pid"
    wait "$capture_pid" 2>/dev/null || true
}

start_silo --disks 6 --code 4+2
zs vault create private --custody owner >/dev/null
put_watched private
put_watched default
stop_silo
for vault in private default; do
    say "$vault: disks, catalog, logs: $(searched "$work/content.$vault" "$data" "$work/silo.log")"
    say "$vault: memory of the silo, half-way: $(searched "$work/content.$vault" "$work"/core.$vault.*)"
    say "$vault: loopback: $(searched "$work/content.$vault" "$work/capture.$vault")"
done
[ "$(found "$work/content.private" "$data" "$work/silo.log" "$work"/core.private.* "$work/capture.private")" = 0 ] ||
    fail "the fabric saw what its owner sealed"
[ "$(found "$work/content.default" "$data" "$work/silo.log")" = 0 ] || fail "content lies open on disks, in the catalog or in logs"
[ "$(found "$work/content.default" "$work"/core.default.*)" -gt 0 ] || fail "the search does not find content in a dump where it must be"
[ "$(found "$work/content.default" "$work/capture.default")" -gt 0 ] || fail "the search does not find content in a capture where it must be"
head -c 100000 "$work/content.private" | tail -c 60 >>"$data/planted"
[ "$(found "$work/content.private" "$data")" -gt 0 ] || fail "the search does not find what was planted"
say "what was planted is found"
