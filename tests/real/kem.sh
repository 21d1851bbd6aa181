#!/usr/bin/env bash
# The hybrid key encapsulation against another implementation, @noble/post-quantum: what we encapsulate it opens, what it
# encapsulates we open, and both reckon the same public keys from a seed.
# Usage: kem.sh [COUNT]   (default 1000 of each suite, both ways)
set -euo pipefail
command -v npm >/dev/null || { echo "This needs Node.js and npm." >&2; exit 1; }
top=$(cd "$(dirname "$0")/../.." && pwd)
count=${1:-1000}
work=$(mktemp -d "${TMPDIR:-/tmp}/zerostor-kem.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$top/tests/real/kem.mjs" "$work"
(cd "$work" && npm install --silent --no-audit --no-fund @noble/post-quantum@0.7.1 @noble/curves@2.4.0 @noble/hashes@2.4.0 >/dev/null)
bench() { dotnet run -c Release --project "$top/tests/ZeroStor.Benchmarks" -- kem "$@"; }
bench --make "$work/ours.json" --count "$count"
node "$work/kem.mjs" check "$work/ours.json"
node "$work/kem.mjs" make "$count" >"$work/theirs.json"
bench --check "$work/theirs.json"
# What differs must be found.
sed -i '0,/"secret":"./s//"secret":"x/; 0,/"Secret":"./s//"Secret":"x/' "$work/ours.json" "$work/theirs.json"
if node "$work/kem.mjs" check "$work/ours.json" 2>/dev/null || bench --check "$work/theirs.json" 2>/dev/null; then
    echo "FAILED: a changed secret was not found" >&2
    exit 1
fi
