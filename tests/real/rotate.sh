#!/usr/bin/env bash
# A vault with many objects has its key rotated, and the fabric its master key: no byte of a volume changes, and no row
# of contents, versions (with their manifests) or pages; every object is got and equal, also after the earlier key is
# retired and with the next master key alone. The same comparison finds one object that is put more.
# Usage: rotate.sh [OBJECTS]   (default 100,000 of 1 KiB)
command -v python3 >/dev/null || { echo "This needs python3, to read the catalog." >&2; exit 1; }
. "$(dirname "$0")/lib.sh"
objects=${1:-100000}
list=$work/acknowledged
load_dll=$top/tests/ZeroStor.Load/bin/Release/net10.0/ZeroStor.Load.dll
dotnet build -c Release "$top/tests/ZeroStor.Load" -v quiet --nologo -clp:ErrorsOnly
load() { dotnet "$load_dll" "$@" >"$work/load.json" || fail "the load failed: $(cat "$work/load.json")"; }
verify() { load verify "$list" --getters 8; }

# Of a silo that is stopped: its volumes, and what the catalog says of objects.
digests() {
    (cd "$data" && find . -name '*.vol' -print0 | sort -z | xargs -0 sha256sum)
    python3 - "$data/catalog.db" <<'PY'
import hashlib, sqlite3, sys
catalog = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for table, key in (("contents", "content"), ("versions", "vault, key, seq"), ("pages", "content, page")):
    sha, rows = hashlib.sha256(), 0
    for row in catalog.execute(f"SELECT * FROM {table} ORDER BY {key}"):
        sha.update(repr(row).encode())
        rows += 1
    print(sha.hexdigest(), f"{rows} rows of {table}")
PY
}
same() { stop_silo; digests >"$work/now"; cmp -s "$work/before" "$work/now"; }
seconds_of() { local began=$(date +%s%N); "$@" >/dev/null || fail "$*"; echo "$(( ($(date +%s%N) - began) / 1000000 )) ms"; }

options=(--disks 6 --code 4+2)
start_silo "${options[@]}"
load fill "$list" --objects "$objects" --bytes 1024 --putters 32
stop_silo
digests >"$work/before"
say "$objects objects put: $(grep -c 'vol$' "$work/before") volumes, $(grep -o '[0-9]* rows of.*' "$work/before" | paste -sd,)"

zs key master "$work/next.key" >/dev/null
start_silo "${options[@]}" --next-master-key "$work/next.key"
say "zs key rotate default: $(seconds_of zs key rotate default)"
say "zs key rotate --master: $(seconds_of zs key rotate --master)"
verify
say "all $objects got and equal, with both keys at hand"
same || { diff "$work/before" "$work/now" | head; fail "a rotation wrote objects again"; }
say "no byte of a volume and no row of an object differs"

start_silo "${options[@]}" --master-key "$work/next.key"
zs key retire default 1 >/dev/null
verify
say "all $objects got and equal, with the next keys alone"
same || fail "retiring a key wrote objects again"
start_silo "${options[@]}" --master-key "$work/next.key"
head -c 1000 /dev/urandom | zs put - default/more >/dev/null
if same; then fail "the comparison does not find an object that was put"; fi
say "the comparison finds an object that was put more"
