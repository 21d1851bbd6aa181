#!/usr/bin/env bash
# One silo of 28 hangs (SIGSTOP) for a minute while 1 MiB objects are put and got: the p99 of the gets of that minute
# is at most three times the quiet one of the same run, nothing fails, no put takes longer than ten seconds.
# Usage: frozen.sh [SECONDS] [OBJECTS]   (default 60 s, 400 objects)
. "$(dirname "$0")/dev.sh"
window_seconds=${1:-60}
objects=${2:-400}
mib=$((1024 * 1024))
dev_up 28 7
load fill "$list" --objects "$objects" --bytes $mib >"$work/fill.json" || fail "a put failed"

window() {
    rm -f "$work/stop"
    load run "$list" --seed "$1" --bytes $mib --putters 1 --getters 2 --stop "$work/stop" >"$work/$2.json" &
    local load_pid=$!
    sleep 5 # the programs start, and compile what they run for the first time
    [ "$2" != hung ] || zs dev pause --silo 9 --data "$dev" >/dev/null
    sleep "$window_seconds"
    [ "$2" != hung ] || zs dev resume --silo 9 --data "$dev" >/dev/null
    touch "$work/stop"
    wait "$load_pid" || { tell_load "$work/$2.json"; fail "$2: something failed or differed"; }
    say "$2: $(tell_load "$work/$2.json")"
}
window 1 warm
window 2 quiet
window 3 hung
ratio=$(node -e "
    const [q,h]=['quiet','hung'].map(n=>JSON.parse(require('fs').readFileSync('$work/'+n+'.json')));
    const ratio=h.gets.p99ms/q.gets.p99ms;
    console.log('p99 of gets '+ratio.toFixed(2)+' times the quiet one, longest put '+(h.puts.maxMs/1000).toFixed(1)+' s');
    process.exit(ratio<=3&&h.puts.maxMs<=10000?0:1)") || fail "slower than promised: $(node -p "
    const h=require('$work/hung.json'),q=require('$work/quiet.json');h.gets.p99ms+' ms against '+q.gets.p99ms+' ms, longest put '+h.puts.maxMs+' ms'")"
say "$ratio"
