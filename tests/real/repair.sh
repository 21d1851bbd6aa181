#!/usr/bin/env bash
# What repair costs: the disks of one site of 28 silos are lost, and while the others rebuild what they held, gets go on:
# their p99 is at most twice the quiet one of the same run; no more than k shards are read for one that is rebuilt.
# Usage: repair.sh [OBJECTS]   (default 2000)
. "$(dirname "$0")/dev.sh"
k=20
dev_up 28 7
load fill "$list" --objects "${1:-2000}" --putters 8 >"$work/fill.json" || fail "a put failed"

# Gets alone, until a file says stop.
window() {
    rm -f "$work/stop"
    load run "$list" --seed "$2" --putters 0 --getters 2 --stop "$work/stop" >"$work/$1.json" &
    load_pid=$!
}
end_window() { touch "$work/stop"; wait "$load_pid" || { tell_load "$work/$1.json"; fail "$1: a get failed or differed"; }; say "$1: $(tell_load "$work/$1.json")"; }

window warm 1; sleep 20; end_window warm
window quiet 2; sleep 40; end_window quiet
zs dev wipe --site 4 --data "$dev" >/dev/null
say "site 4 killed and wiped"
until [ "$(status 's.repair.groupsToRepair')" -gt 0 ] 2>/dev/null; do :; done
window repairing 3
# Seldom, for a look at the whole ledger is work that gets would pay for.
LOOK_SECONDS=15 until_holds 900 whole whole
end_window repairing
say "$(zs repair --json | json "\`\${s.totalShardsRebuilt} shards rebuilt, \${(s.totalShardsRead/s.totalShardsRebuilt).toFixed(1)} shards read for one, \`
    + \`\${(s.totalBytesWritten/2**20).toFixed(0)} MiB written, \${(s.totalBytesPerSecond/2**20).toFixed(1)} MiB/s\`")"
[ "$(zs repair --json | json "s.totalShardsRebuilt>0&&s.totalShardsRead<=$k*s.totalShardsRebuilt")" = true ] || fail "more than $k shards read for one"
ratio=$(node -e "
    const [q,r]=['quiet','repairing'].map(n=>JSON.parse(require('fs').readFileSync('$work/'+n+'.json')));
    const ratio=r.gets.p99ms/q.gets.p99ms;
    console.log('p99 of gets '+ratio.toFixed(2)+' times the quiet one');
    process.exit(ratio<=2?0:1)") || fail "gets were slower than twice the quiet p99: $(tell_load "$work/repairing.json")"
say "$ratio"
verify
