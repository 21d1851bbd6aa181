#!/usr/bin/env bash
# Incompressible 64 MiB objects, 4 GiB of them: what the disks take, less when empty, over the content.
# Usage: overhead.sh [OBJECTS]   (default 64)
. "$(dirname "$0")/lib.sh"
objects=${1:-64}
limit=1.225
taken() { cat <(find "$data" -path '*/disk*' -type f -print0 | xargs -0 du -k -c | awk '/total$/ {s+=$1} END {print s}'); }
start_silo
stop_silo
empty=$(taken)
start_silo
for i in $(seq "$objects"); do
    head -c 67108864 /dev/urandom | zs put - "default/object$i" >/dev/null
done
stop_silo
full=$(taken)
say "$(awk -v f="$full" -v e="$empty" -v n="$objects" 'BEGIN {printf "%.4f over the content (%d KiB empty, %d KiB full)", (f-e)/(n*65536), e, f}')"
awk -v f="$full" -v e="$empty" -v n="$objects" -v l="$limit" 'BEGIN {exit !((f-e)/(n*65536) <= l)}' || fail "more than $limit"
