#!/usr/bin/env bash
# All silos killed at once in the middle of puts, then started: up and whole within 90 seconds, all equal.
# Usage: all-killed.sh [SILOS] [SITES] [OBJECTS]   (default 28, 7, 500)
. "$(dirname "$0")/dev.sh"
patience_seconds=90
dev_up "${1:-28}" "${2:-7}"
load fill "$list" --objects "${3:-500}" >"$work/fill.json" || fail "a put failed"
load run "$list" --seed 2 --stop "$work/stop" >"$work/run.json" &
load_pid=$!
sleep 10
zs dev kill --all --data "$dev" >/dev/null
pkill -KILL -f "$load_dll run $list" # it would go on trying, and what counts is what was acknowledged so far
wait "$load_pid" || true
say "killed in the middle of puts; $(wc -l <"$list") acknowledged"
began=$(seconds)
zs dev start --all --data "$dev" >"$work/start.log" || fail "$(tail -n 1 "$work/start.log")"
say "all up after $(( $(seconds) - began )) s"
until whole 2>/dev/null; do
    [ $(( $(seconds) - began )) -le $(( patience_seconds * 3 )) ] || fail "not whole"
done
took=$(( $(seconds) - began ))
say "up and whole after $took s"
verify
[ "$took" -le "$patience_seconds" ] || fail "that took longer than $patience_seconds s"
