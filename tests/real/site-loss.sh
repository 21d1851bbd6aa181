#!/usr/bin/env bash
# 28 silos in 7 sites, 20+4. Round by round, in the middle of parallel puts and gets, the silos of one site are killed
# and their disks deleted, each round another site at another moment: no put and no get fails, all that was
# acknowledged is equal, and the ledger comes back to n of n by itself. Then the site's silos come back empty.
# Usage: site-loss.sh [ROUNDS] [OBJECTS] [SEED]   (default 10 rounds, 10,000 objects of about 4 GiB, seed 1)
. "$(dirname "$0")/dev.sh"
rounds=${1:-10}
objects=${2:-10000}
RANDOM=${3:-1}
gets=${GETS:-2000} # of each round
dev_up 28 7
load fill "$list" --objects "$objects" --putters 8 >"$work/fill.json" || { tell_load "$work/fill.json"; fail "a put failed"; }
say "$(json '`${s.puts.count} objects, ${(s.puts.bytes/2**30).toFixed(2)} GiB put in ${s.seconds} s`' <"$work/fill.json")"

for round in $(seq "$rounds"); do
    site=$(( (round - 1) % 7 + 1 ))
    rm -f "$work/stop"
    load run "$list" --seed $(( round + 1000 )) --stop "$work/stop" --gets "$gets" >"$work/run.json" &
    load_pid=$!
    sleep $(( RANDOM % 8 + 2 ))
    zs dev wipe --site "$site" --data "$dev" >/dev/null
    wiped=$(seconds)
    say "round $round: site $site killed and wiped"
    # The load goes on until the site's places have other homes, and until there were gets enough.
    until [ "$(status 's.repair.groupsToRepair')" -gt 0 ] 2>/dev/null; do
        [ $(( $(seconds) - wiped )) -le 300 ] || fail "round $round: not replaced"
        sleep 1
    done
    touch "$work/stop"
    wait "$load_pid" || { tell_load "$work/run.json"; fail "round $round: a put failed, or a get failed or differed"; }
    say "round $round: $(tell_load "$work/run.json")"
    # A look at the whole ledger is work that repair gives way to.
    LOOK_SECONDS=10 until_holds 900 "round $round: whole" whole
    say "round $round: whole $(( $(seconds) - wiped )) s after the loss"
    zs dev start --site "$site" --data "$dev" >/dev/null
done
say "$(zs repair --json | json '`repair: ${s.totalShardsRestored} shards restored, ${(s.totalBytesWritten/2**20).toFixed(0)} MiB written, ${(s.totalBytesRead/2**20).toFixed(0)} MiB read, ${(s.totalBytesPerSecond/2**20).toFixed(1)} MiB/s`')"
verify
