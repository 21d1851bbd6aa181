#!/usr/bin/env bash
# While trees are put and got in a loop, four disks of 24 are lost, then four others, and so on: every get is right,
# the ledger is whole again within a minute by itself, and everything acknowledged is equal at the end and after a
# restart.
# Usage: heal.sh [ROUNDS] [FILES]   (default 5 rounds, a tree of 500 files)
. "$(dirname "$0")/lib.sh"
rounds=${1:-5}
files=${2:-500}
patience_seconds=60
mkdir "$work/tree"
for i in $(seq "$files"); do head -c $(( (RANDOM * RANDOM) % 400000 )) /dev/urandom >"$work/tree/file$i"; done
say "tree: $(du -sm "$work/tree" | cut -f1) MiB in $files files"
start_silo
zs put -r "$work/tree" default/tree0 >/dev/null

putter() {
    local i=0
    while [ ! -e "$work/stop" ]; do
        i=$((i + 1))
        zs put -r "$work/tree" "default/put$((i % 3))" >/dev/null || { touch "$work/put.failed"; return; }
    done
}
getter() {
    while [ ! -e "$work/stop" ]; do
        rm -rf "$work/got"
        zs get -r default/tree0 "$work/got" >/dev/null && diff -r "$work/tree" "$work/got" >/dev/null \
            || { touch "$work/get.failed"; return; }
        echo "$files" >>"$work/gets"
    done
}
whole() { zs status --json | node -e "
    const s=JSON.parse(require('fs').readFileSync(0));process.exit(s.ledger.whole===s.ledger.stripes&&s.ledger.stripes>0?0:1)"; }

putter & put_pid=$!
getter & get_pid=$!
for round in $(seq "$rounds"); do
    before=$(status .counters.shardsRepaired)
    for k in 0 1 2 3; do
        disk=$(printf 'disk%02d' $(( ((round - 1) * 4 + k) % 24 + 1 )))
        find "$data/$disk" -type f -exec truncate -s 0 {} + 2>/dev/null || true
        rm -rf "${data:?}/$disk"
    done
    started=$(date +%s)
    until [ "$(status .counters.shardsRepaired)" -gt "$before" ] && whole; do
        [ $(( $(date +%s) - started )) -le "$patience_seconds" ] || { zs status; fail "round $round: not whole in $patience_seconds s"; }
    done
    say "round $round: whole after $(( $(date +%s) - started )) s; $(zs repair | tail -2 | tr -s ' ' | paste -sd' ')"
    [ ! -e "$work/get.failed" ] || fail "a get failed or differed"
    [ ! -e "$work/put.failed" ] || fail "a put failed"
done
touch "$work/stop"
wait "$put_pid" "$get_pid"
[ ! -e "$work/get.failed" ] || fail "a get failed or differed"
[ ! -e "$work/put.failed" ] || fail "a put failed"
say "$(awk '{n += $1} END {print n}' "$work/gets") gets, none failed or differed"
verify() {
    for name in tree0 put0 put1 put2; do
        zs ls "default/$name/" >/dev/null 2>&1 || continue
        rm -rf "$work/back"
        zs get -r "default/$name" "$work/back" >/dev/null
        diff -r "$work/tree" "$work/back" >/dev/null || fail "$name differs"
    done
}
verify
stop_silo
start_silo
verify
say "all equal at the end, and after a restart"
stop_silo
