#!/usr/bin/env bash
# One byte each in many shards is flipped, at most m of a stripe, while a tree is got in a loop: every get is right,
# `zs scrub --wait` finds them all and repairs them all, and a second one finds none. The background scrub is off,
# so that all of them are left for the one that is asked for.
# Usage: rot.sh [SHARDS] [FILES]   (default 200 shards of a tree of 15 files of some 16 MiB)
. "$(dirname "$0")/lib.sh"
# A machine under load may need longer for a connection than zs waits; then nothing was asked.
zs() {
    local code=3 tries=0
    while [ "$code" = 3 ] && [ "$tries" -lt 20 ]; do
        tries=$((tries + 1)) code=0
        dotnet "$zs_dll" "$@" || code=$?
    done
    return "$code"
}
shards=${1:-200}
files=${2:-15}
mkdir "$work/tree"
for i in $(seq "$files"); do head -c $(( 12000000 + RANDOM * 256 )) /dev/urandom >"$work/tree/file$i"; done
say "tree: $(du -sm "$work/tree" | cut -f1) MiB in $files files"
export ZeroStor__ScrubMaxMiBPerSecond=0
start_silo
zs put -r "$work/tree" default/tree >/dev/null
for file in "$work"/tree/*; do zs stat "default/tree/${file##*/}" --shards --json; done >"$work/shards"

# Flips the bytes and prints where: disk, file, offset.
python3 - "$work/shards" "$shards" >"$work/flipped" <<'PYTHON'
import collections, json, random, sys
places = [(line, shard) for line, text in enumerate(open(sys.argv[1])) for shard in json.loads(text)["shards"]]
random.shuffle(places)
of_stripe, left = collections.Counter(), int(sys.argv[2])
for line, shard in places:
    stripe = line, shard["stripe"]
    if left == 0:
        break
    if shard["state"] != "present" or of_stripe[stripe] == 4:
        continue
    of_stripe[stripe] += 1
    left -= 1
    at = shard["offset"] + random.randrange(shard["length"])
    with open(shard["file"], "r+b") as volume:
        volume.seek(at)
        byte = volume.read(1)[0]
        volume.seek(at)
        volume.write(bytes([byte ^ 1 << random.randrange(8)]))
    print(shard["disk"], shard["file"], at)
print(f"{len(of_stripe)} stripes, at most {max(of_stripe.values())} shards of one", file=sys.stderr)
sys.exit(left)
PYTHON
say "flipped one byte each in $(wc -l <"$work/flipped") shards on $(cut -d' ' -f1 "$work/flipped" | sort -u | wc -l) disks"

getter() {
    until [ -e "$work/stop" ] && [ -e "$work/gets" ]; do
        rm -rf "$work/got"
        zs get -r default/tree "$work/got" >/dev/null && diff -r "$work/tree" "$work/got" >/dev/null \
            || { touch "$work/get.failed"; return; }
        echo "$files" >>"$work/gets"
    done
}
# number NAME: a number or truth out of the scrub's JSON
number() { python3 -c "import json,sys;print(json.load(open(sys.argv[1]))[sys.argv[2]])" "$work/scrub.json" "$1"; }
# The scrub is begun first: what a get meets before it was asked for is no finding of it.
started=$(date +%s%N)
zs scrub --wait --timeout 300 --json >"$work/scrub.json" & scrub_pid=$!
until [ "$(zs disk show 1 --json 2>/dev/null | python3 -c "import json,sys
s=json.load(sys.stdin)['scrub'];print(s['running'] or s['lastEnded'] != '')" 2>/dev/null)" = True ]; do
    kill -0 "$scrub_pid" 2>/dev/null || break
done
getter & get_pid=$!
wait "$scrub_pid" || fail "the scrub ended with failure"
took=$(( ($(date +%s%N) - started) / 1000000 ))
touch "$work/stop"
wait "$get_pid"
[ ! -e "$work/get.failed" ] || fail "a get failed or differed"
say "scrub read $(number shards) shards, $(( $(number bytes) / 1048576 )) MiB, found $(number bad) bad, repaired" \
    "$(number repaired), whole: $(number whole), all in $took ms"
[ "$(number bad)" = "$shards" ] || fail "not $shards were found"
[ "$(number repaired)" = "$shards" ] || fail "not $shards were repaired"
[ "$(number whole)" = True ] || fail "the ledger is not whole"
say "$(awk '{n += $1} END {print n}' "$work/gets") gets meanwhile, none failed or differed"
zs scrub --wait --json >"$work/scrub.json"
[ "$(number bad)" = 0 ] || fail "a second scrub found $(number bad)"
zs get -r default/tree "$work/back" >/dev/null
diff -r "$work/tree" "$work/back" >/dev/null || fail "the tree differs"
say "a second scrub found none, and the tree is equal"
stop_silo
