#!/usr/bin/env bash
# A real silo whose system calls fail: strace makes syncs and writes of disks and catalog fail, again and again, while
# objects are put and got; then kill -9, and a start without strace. A put may fail, but what was acknowledged is
# there and equal, then and after every round.
# Usage: faulty.sh [SECONDS]: how long each round puts, and up to eight times as long until a call failed.
command -v strace >/dev/null || { echo "This needs strace: apt-get install strace" >&2; exit 1; }
. "$(dirname "$0")/lib.sh"
seconds=${1:-15}
mkdir -p "$work/objects"
acknowledged=$work/acknowledged
: >"$acknowledged"

# is_over ROUND END: whether its time is up, and a call failed; on a slow machine the first may be long in coming
is_over() {
    [ "$SECONDS" -ge "$2" ] && { grep -q INJECTED "$work/strace.$1" || [ "$SECONDS" -ge $(($2 + 7 * seconds)) ]; }
}

# put_some ROUND WRITER: puts and gets until the round is over
put_some() {
    local end=$((SECONDS + seconds)) i=0
    until is_over "$1" "$end"; do
        local name=$1.$2.$((++i))
        head -c $(( (RANDOM * 40) % 600000 + 1 )) /dev/urandom >"$work/objects/$name"
        # What waits for homes that do not come back is given up, and counts as failed.
        if timeout 10 dotnet "$zs_dll" put "$work/objects/$name" "default/$name" >/dev/null 2>>"$work/refusals"; then
            echo "$name" >>"$acknowledged"
            if timeout 10 dotnet "$zs_dll" get "default/$name" - >"$work/got.$2" 2>>"$work/refusals"; then
                cmp -s "$work/got.$2" "$work/objects/$name" || echo "$name" >>"$work/lies"
            fi
        else
            echo "$name" >>"$work/failed"
        fi
    done
}

# differs NAME: reads an object, and complains unless it is there and equal
differs() {
    dotnet "$zs_dll" get "default/$1" - 2>/dev/null | cmp -s - "$work/objects/$1" || echo "$1 differs or is gone"
}
export -f differs
export zs_dll work

# round NAME SYSCALL ERROR FIRST EACH: of each thread the FIRST such call fails, and each EACH-th after it
round() {
    local name=$1 log=$work/strace.$1 tracer before
    : >"$work/failed"
    before=$(wc -l <"$acknowledged")
    start_silo
    strace -f -qq -y -o "$log" -e "trace=$2" -e "inject=$2:error=$3:when=$4+$5" -p "$silo_pid" &
    tracer=$!
    for writer in 1 2 3 4; do put_some "$name" "$writer" & writers[writer]=$!; done
    wait "${writers[@]}"
    kill -0 "$silo_pid" 2>/dev/null || fail "$name: the silo ended by itself"
    kill_silo
    wait "$tracer" 2>/dev/null || true
    local injected
    injected=$(grep -c INJECTED "$log") ||
        fail "$name: none of $(wc -l <"$log") calls of $2 failed: put for longer than $((8 * seconds)) seconds"
    [ ! -e "$work/lies" ] || fail "$name: $(wc -l <"$work/lies") gets differed"

    start_silo
    xargs -r -P 4 -I{} bash -c 'differs {}' <"$acknowledged" >"$work/lost"
    [ ! -s "$work/lost" ] || fail "$name: $(head -n 3 "$work/lost")"
    stop_silo
    say "$name: $injected calls of $2 failed with $3; $(($(wc -l <"$acknowledged") - before)) puts acknowledged," \
        "$(wc -l <"$work/failed") failed; all $(wc -l <"$acknowledged") acknowledged so far are there and equal"
    grep INJECTED "$log" | sed -E 's/^[0-9]+ +//; s/\([0-9]+<([^>]*)>.*/ \1/; s/^<\.\.\. ([a-z0-9]+) resumed.*/\1/' | sed "s|$work/||" | sort | uniq -c
}

# Disks write with pwritev and sync with fdatasync, folders and the catalog sync with fsync, and the catalog writes with
# pwrite64. Threads are counted each for itself, and the
# two of a disk that write take turns.
start_silo --disks 6 --code 3+2
stop_silo
round disk-sync fdatasync EIO 6 5
round disk-write pwritev EIO 6 5
round disk-full pwritev ENOSPC 6 3
round catalog-sync fsync EIO 2 2
round catalog-write pwrite64 EIO 8 7
say "what the refusals said"
grep -v '^$' "$work/refusals" | sed -E 's/(^zs: )?default\/[^:]*: ?//; s/[0-9a-f]{32}/ID/g' | cut -c1-110 | sort | uniq -c | sort -rn | head -8
