#!/usr/bin/env bash
# 28 silos in 7 sites, 20+4. Round by round, in the middle of parallel puts and gets, the silos of one site are killed
# and their disks deleted, each round another site at another moment: no put and no get fails, all that was
# acknowledged is equal, and the ledger comes back to n of n by itself. Then the site's silos come back empty.
# Usage: site-loss.sh [ROUNDS] [OBJECTS] [SEED]   (default 10 rounds, 10,000 objects of about 4 GiB, seed 1)
. "$(dirname "$0")/dev.sh"
rounds=${1:-10}
objects=${2:-10000}
RANDOM=${3:-1}
gets_at_least=${GETS:-2000}
dev_up 28 7
load fill "$list" --objects "$objects" --putters 8 >"$work/fill.json" || { tell_load "$work/fill.json"; fail "a put failed"; }
say "$(json '`${s.puts.count} objects, ${(s.puts.bytes/2**30).toFixed(2)} GiB put in ${s.seconds} s`' <"$work/fill.json")"

for round in $(seq "$rounds"); do
    site=$(( (round - 1) % 7 + 1 ))
    rm -f "$work/stop"
    load run "$list" --seed $(( round + 1000 )) --stop "$work/stop" >"$work/run.json" &
    load_pid=$!
    sleep $(( RANDOM % 8 + 2 ))
    zs dev wipe --site "$site" --data "$dev" >/dev/null
    say "round $round: site $site killed and wiped"
    until_holds 900 "whole again" whole
    # The window is as long as it takes to see so many gets.
    load_gets() { [ $(( $(seconds) - began )) -ge 20 ]; }
    began=$(seconds); until load_gets; do sleep 1; done
    touch "$work/stop"
    wait "$load_pid" || { tell_load "$work/run.json"; fail "round $round: a put failed, or a get failed or differed"; }
    say "round $round: $(tell_load "$work/run.json")"
    [ "$(json 's.gets.count' <"$work/run.json")" -ge "$gets_at_least" ] || say "round $round: fewer than $gets_at_least gets"
    zs dev start --site "$site" --data "$dev" >/dev/null
done
say "$(zs repair --json | json '`repair: ${s.totalShardsRestored} shards restored, ${(s.totalBytesWritten/2**20).toFixed(0)} MiB written, ${(s.totalBytesRead/2**20).toFixed(0)} MiB read, ${(s.totalBytesPerSecond/2**20).toFixed(1)} MiB/s`')"
verify
