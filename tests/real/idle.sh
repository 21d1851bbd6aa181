#!/usr/bin/env bash
# What 28 silos take that nobody asks anything: resident memory, at most 150 MiB each, and processor time.
# Usage: idle.sh [SECONDS]   (default 180)
. "$(dirname "$0")/dev.sh"
idle_seconds=${1:-180}
most_mib=150
dev_up 28 7
pids=$(zs dev ls --json --data "$dev" | json "s.silos.map(x=>x.pid).join(' ')") # silo1's, which answers S3, first
ticks() { for p in $pids; do cat "/proc/$p/stat"; done | awk '{n += $14 + $15} END {print n}'; }
sleep $(( idle_seconds - 30 ))
before=$(ticks)
sleep 30
after=$(ticks)
say "processor: $(awk -v t=$(( after - before )) -v hz="$(getconf CLK_TCK)" 'BEGIN {printf "%.2f", t / hz / 30 / 28 * 100}') % of a core each"
all=$(for p in $pids; do awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$p/status"; done)
rss=$(echo "$all" | sort -n)
say "resident after $idle_seconds s: $(echo "$rss" | head -n 1) to $(echo "$rss" | tail -n 1) MiB, median $(echo "$rss" | sed -n 14p) MiB; by silo: $(echo $all)"
[ "$(echo "$rss" | tail -n 1)" -le "$most_mib" ] || fail "more than $most_mib MiB"
