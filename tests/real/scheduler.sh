#!/usr/bin/env bash
# A site is wiped, and while what it held is rebuilt the silo that runs the repair scheduler is killed ten times, each
# time started again: the repair ends whole.
# Usage: scheduler.sh [KILLS] [OBJECTS]   (default 10, 3000)
. "$(dirname "$0")/dev.sh"
kills=${1:-10}
export ZeroStor__RepairMaxMiBPerSecond=2 # so that it lasts
dev_up 28 7
load fill "$list" --objects "${2:-3000}" --putters 8 >"$work/fill.json" || fail "a put failed"
zs dev wipe --site 5 --data "$dev" >/dev/null
say "site 5 killed and wiped"
for kill in $(seq "$kills"); do
    until scheduler=$(status s.repair.silo 2>/dev/null) && [ -n "$scheduler" ]; do :; done
    zs dev kill --silo "${scheduler#silo}" --data "$dev" >/dev/null
    say "kill $kill: $scheduler ran the scheduler; $(status '`${s.ledger.whole} of ${s.ledger.stripes} stripes whole`' || true)"
    zs dev start --silo "${scheduler#silo}" --data "$dev" >/dev/null
done
until_holds 900 "whole" whole
verify
