#!/usr/bin/env bash
# Puts a tree, loses four of 24 disks while the silo is down, and gets the tree back without a difference.
# Usage: lost-disks.sh [DIR]   (default: the .NET SDK's own folder, some 500 MB in thousands of files)
. "$(dirname "$0")/lib.sh"
source_dir=${1:-$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk}
cp -rL "$source_dir" "$work/tree"
mkdir -p "$work/tree/an empty folder"
say "tree: $(du -sm "$work/tree" | cut -f1) MiB, $(find "$work/tree" -type f | wc -l) files"
start_silo
started=$(date +%s%N)
zs put -r "$work/tree" default/tree
say "put in $(( ($(date +%s%N) - started) / 1000000 )) ms"
before=$(status .counters.stripesDecoded)
stop_silo
for disk in 03 07 11 24; do
    find "$data/disk$disk" -type f -exec truncate -s 0 {} +
    rm -rf "${data:?}/disk$disk"
done
start_silo
started=$(date +%s%N)
zs get -r default/tree "$work/back"
say "got in $(( ($(date +%s%N) - started) / 1000000 )) ms"
diff -r "$work/tree" "$work/back" || fail "the trees differ"
after=$(status .counters.stripesDecoded)
[ "$after" -gt "$before" ] || fail "no stripe was decoded ($before, $after)"
say "no difference; $after stripes were decoded"
stop_silo
