#!/usr/bin/env bash
# One large object through a pipe, in and out: equal, and the peak resident memory of both processes.
# Usage: large.sh [GIB]   (default 10)
. "$(dirname "$0")/lib.sh"
gib=${1:-10}
limit_mib=600
bytes=$(( gib * 1024 * 1024 * 1024 ))
start_silo
# A keystream of AES-CTR: incompressible, repeatable, as fast as the disk.
stream() { openssl enc -aes-128-ctr -K 0123456789abcdef0123456789abcdef -iv 00 </dev/zero 2>/dev/null | head -c "$bytes"; }
# watch_peak PID FILE: the highest VmHWM seen of a process, sampled until it ends
watch_peak() {
    local peak
    while kill -0 "$1" 2>/dev/null; do
        peak=$(peak_mib "$1" 2>/dev/null || true)
        [ -z "$peak" ] || echo "$peak" >"$2"
        sleep 0.2
    done
}
started=$(date +%s)
mkfifo "$work/in" "$work/out"
stream >"$work/in" &
(exec dotnet "$zs_dll" put - default/large <"$work/in") &
put_pid=$!
watch_peak "$put_pid" "$work/put.peak" &
wait "$put_pid" || fail "put failed"
say "put $gib GiB in $(( $(date +%s) - started )) s, peak of zs $(cat "$work/put.peak") MiB"
started=$(date +%s)
sha256sum <"$work/out" >"$work/sum" &
sum_pid=$!
(exec dotnet "$zs_dll" get default/large - >"$work/out") &
get_pid=$!
watch_peak "$get_pid" "$work/get.peak" &
wait "$get_pid" || fail "get failed"
wait "$sum_pid"
say "got $gib GiB in $(( $(date +%s) - started )) s, peak of zs $(cat "$work/get.peak") MiB"
silo_peak=$(peak_mib "$silo_pid")
say "peak of the silo $silo_peak MiB"
[ "$(cut -d' ' -f1 <"$work/sum")" = "$(stream | sha256sum | cut -d' ' -f1)" ] || fail "what came back differs"
for peak in "$silo_peak" "$(cat "$work/put.peak")" "$(cat "$work/get.peak")"; do
    [ "$peak" -lt "$limit_mib" ] || fail "a process took $peak MiB"
done
say "equal, and every process stayed below $limit_mib MiB"
stop_silo
