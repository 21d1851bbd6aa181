# Shared by the scripts that try a fabric of many silo processes: builds once, brings it up with zs dev, puts it under
# load. Usage: . dev.sh; then dev_up SILOS SITES, load VERB..., dev_down at the end by itself. All is in $work.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
zs_dll=$top/client/zs/bin/Release/net10.0/zs.dll
load_dll=$top/tests/ZeroStor.Load/bin/Release/net10.0/ZeroStor.Load.dll
rid=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
silo=$top/silo/bin/Release/net10.0/$rid/publish/ZeroStor.Silo
work=$(mktemp -d "${TMPDIR:-/tmp}/zerostor-real.XXXXXX")
chmod 755 "$work" # PostgreSQL does not run as root, and must get in
dev=$work/dev
list=$work/acknowledged
export XDG_CONFIG_HOME=$work/config
# A silo that is away is lost after ten seconds instead of ten minutes.
export ZeroStor__LostAfterSeconds=${LOST_AFTER_SECONDS:-10}

say() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; zs status >&2 || true; exit 1; }

# The silo as servers run it: compiled ahead.
build() {
    dotnet publish -c Release -r "$rid" "$top/silo" -v quiet --nologo >"$work/build.log" || { cat "$work/build.log"; exit 1; }
    for project in client/zs tests/ZeroStor.Load; do
        dotnet build -c Release "$top/$project" -v quiet --nologo >"$work/build.log" || { cat "$work/build.log"; exit 1; }
    done
}

zs() { dotnet "$zs_dll" "$@"; }
load() { dotnet "$load_dll" "$@" --gateway "$(node -p "require('$XDG_CONFIG_HOME/zerostor/context.json').gateway")"; }
seconds() { date +%s; }

dev_up() {
    local began; began=$(seconds)
    zs dev up --silos "$1" --sites "$2" --disks-per-silo 1 --silo-path "$silo" --data "$dev" >"$work/up.log" || fail "$(tail -n 1 "$work/up.log")"
    say "$1 silos in $2 sites up after $(( $(seconds) - began )) s"
}

# json EXPRESSION: what it comes to, where s is what stands on standard input.
json() { node -e "const s=JSON.parse(require('fs').readFileSync(0));console.log($1)"; }
status() { zs status --json 2>/dev/null | json "$1" 2>/dev/null; }
pid_of() { zs dev ls --json --data "$dev" | json "s.silos.find(x=>x.name==='$1').pid"; }
silos() { zs dev ls --json --data "$dev" | json "s.silos.filter(x=>$1).map(x=>x.name).join(' ')"; }

# until SECONDS WHAT COMMAND...: waits for the command to succeed; says how long it took.
until_holds() {
    local patience=$1 what=$2 began; shift 2; began=$(seconds)
    until "$@" 2>/dev/null; do
        [ $(( $(seconds) - began )) -le "$patience" ] || fail "not $what in $patience s"
        sleep "${LOOK_SECONDS:-1}" # while shards are missing a status lists what all homes hold, which is work
    done
    say "$what after $(( $(seconds) - began )) s"
}

# Every stripe has all its shards, and no group has a place that is not whole.
whole() { [ "$(status 's.ledger.stripes>0&&s.ledger.whole===s.ledger.stripes&&s.repair.groupsToRepair===0')" = true ]; }

# What a background load came to: FILE has its last line.
tell_load() {
    json "(s=>\`\${s.puts.count} puts, \${s.puts.wrong} failed, the longest \${(s.puts.maxMs/1000).toFixed(1)} s; \`
        + \`\${s.gets.count} gets, \${s.gets.wrong} failed or differed, p50 \${s.gets.p50ms} ms, p99 \${s.gets.p99ms} ms\`
        + s.puts.why.concat(s.gets.why).map(w=>'\n   '+w).join(''))(s)" <"$1"
}

verify() {
    load verify "$list" >"$work/verify.json" || { tell_load "$work/verify.json"; fail "something acknowledged is lost or differs"; }
    say "all equal: $(json 's.gets.count' <"$work/verify.json") objects, $(json '(s.gets.bytes/2**30).toFixed(2)' <"$work/verify.json") GiB"
}

# With KEEP=1 the work folder stays, with what the silos said.
cleanup() {
    touch "$work/stop"
    [ -z "${KEEP:-}" ] || for log in "$dev"/silo*/silo.log; do
        cp "$log" "$work/$(basename "$(dirname "$log")").log" || true
    done
    [ ! -d "$dev" ] || zs dev down --data "$dev" >/dev/null 2>&1 || true
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap cleanup EXIT
build
