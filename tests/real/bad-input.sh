#!/usr/bin/env bash
# What users get wrong: one sentence each, the documented exit code, nothing lost, no stack trace.
. "$(dirname "$0")/lib.sh"
# expect CODE COMMAND...: the exit code, one line on stderr, no stack trace
expect() {
    local code=$1 got=0; shift
    "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
    [ "$got" = "$code" ] || { cat "$work/stderr"; fail "$* ended with $got, not $code"; }
    ! grep -qE '^ +at |Unhandled exception' "$work/stderr" || fail "$* shows a stack trace"
    [ "$(grep -c . "$work/stderr")" -ge 1 ] || fail "$* says nothing"
    printf '%s  %s\n' "$code" "$(grep -m1 . "$work/stderr")"
}
silo() { timeout 60 dotnet "$silo_dll" --port "$port" --gateway-port "$gateway_port" "$@"; }

say "no silo at the gateway"
expect 3 zs stat default/key
expect 3 zs status --gateway 127.0.0.1:1
say "what the silo is told"
expect 2 silo --data "$work/x" --disks 6
for code in 0+4 300+1 x; do expect 2 silo --data "$work/x" --code "$code"; done
[ ! -e "$work/x" ] || fail "a refused start left a folder"
expect 1 silo --data /proc/zerostor
expect 1 silo --data "$work/y" --disk "$work/absent" --disk "$work/absent2" --code 1+1
mkdir -p "$work/garbage/disk01" && echo hello >"$work/garbage/disk01/file"
expect 1 silo --data "$work/garbage"
[ "$(cat "$work/garbage/disk01/file")" = hello ] || fail "a foreign file was touched"

start_silo
say "what zs is told"
head -c 100000 /dev/urandom >"$work/file"
zs put "$work/file" default/key
expect 1 zs put "$work/absent" default/key2
expect 4 zs put "$work/file" absent/key
expect 4 zs get default/absent "$work/none"
[ ! -e "$work/none" ] || fail "a failed get left a file"
expect 4 zs ls absent/
expect 2 zs put "$work/file" "default/$(printf 'x%.0s' $(seq 1025))"
expect 2 zs put - default/
expect 2 zs get default/key - --range 100000-
expect 2 zs get default/key - --range x
expect 1 zs get default/key "$work/file"
for code in 0+4 300+1 x; do expect 2 zs vault create v --code "$code"; done
expect 1 zs vault create big --code 100+20
expect 5 zs vault rm default
expect 2 zs nonsense
say "a second silo on the same folder, and a taken port"
expect 1 timeout 60 dotnet "$silo_dll" --data "$data" --port 11399 --gateway-port 30399
expect 1 silo --data "$work/z" --disks 2 --code 1+1
say "garbage in a disk folder"
stop_silo
echo garbage >"$data/disk05/superblock"
start_silo
zs get default/key - | cmp - "$work/file" || fail "the object is lost"
stop_silo

if [ "$(id -u)" = 0 ]; then
    say "a full disk"
    mkdir "$work/small"
    mount -t tmpfs -o size=80m tmpfs "$work/small" || { say "no tmpfs can be mounted here: skipped"; exit 0; }
    trap 'cleanup; umount "$work/small" 2>/dev/null || true' EXIT
    data=$work/small/data
    start_silo --disks 3 --code 2+1
    head -c 20000000 /dev/urandom >"$work/large"
    zs put "$work/large" default/first
    expect 1 bash -c "for i in 1 2 3 4; do dotnet '$zs_dll' put '$work/large' default/more\$i || exit \$?; done"
    zs get default/first - | cmp - "$work/large" || fail "a full disk lost what was acknowledged"
    stop_silo
    umount "$work/small"
fi
say "all as documented"
