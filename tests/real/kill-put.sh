#!/usr/bin/env bash
# kill -9 in the middle of parallel puts, again and again: every acknowledged object is there and equal.
# Usage: kill-put.sh [ROUNDS]
. "$(dirname "$0")/lib.sh"
rounds=${1:-5}
mkdir -p "$work/objects"
start_silo --disks 8 --code 5+3
for round in $(seq "$rounds"); do
    : >"$work/acknowledged.$round"
    for writer in 1 2 3 4; do
        (
            for i in $(seq 1000); do
                name=$round.$writer.$i
                head -c $(( (RANDOM * RANDOM) % 3000000 + 1 )) /dev/urandom >"$work/objects/$name"
                zs put "$work/objects/$name" "default/$name" >/dev/null 2>&1 || exit 0
                echo "$name" >>"$work/acknowledged.$round"
            done
        ) &
    done
    sleep "$(( RANDOM % 5 + 6 ))"
    kill_silo
    wait || true
    start_silo
    while read -r name; do
        zs get "default/$name" - | cmp - "$work/objects/$name" || fail "$name differs or is gone"
    done <"$work/acknowledged.$round"
    say "round $round: $(wc -l <"$work/acknowledged.$round") acknowledged objects are there and equal"
done
stop_silo
