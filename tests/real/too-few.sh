#!/usr/bin/env bash
# 24 silos in 6 sites, 20+4: with a site killed and wiped four disks are missing that nobody can stand in for. Reads go
# on, a put waits and then fails with PolicyUnsatisfiable in a sentence. Four spare silos join: puts and the ledger
# come back by themselves.
# Usage: too-few.sh [OBJECTS]   (default 500)
. "$(dirname "$0")/dev.sh"
dev_up 24 6
load fill "$list" --objects "${1:-500}" >"$work/fill.json" || fail "a put failed"
zs dev wipe --site 3 --data "$dev" >/dev/null
say "site 3 killed and wiped"
head -c 100000 /dev/urandom >"$work/file"
began=$(seconds)
if zs put "$work/file" default/waits --json >"$work/put.json" 2>"$work/put.err"; then
    fail "a put went through though its policy cannot be met"
fi
kind=$(cat "$work/put.json" "$work/put.err" | grep -o 'PolicyUnsatisfiable' | head -n 1) || true
[ "$kind" = PolicyUnsatisfiable ] || fail "the put failed otherwise: $(cat "$work/put.err" "$work/put.json")"
say "a put failed after $(( $(seconds) - began )) s: $(cat "$work/put.err" "$work/put.json" | head -c 400)"
verify
[ "$(status 's.ledger.whole<s.ledger.stripes')" = true ] || fail "the ledger calls whole what is not"
zs dev add --silos 4 --site 7 --data "$dev" >/dev/null
say "four silos joined in site 7"
until_holds 900 "whole again" whole
zs put "$work/file" default/goes >/dev/null || fail "a put fails though its policy can be met"
say "puts go through"
verify
