#!/usr/bin/env bash
# The kill loop of the tests, as often as is asked for: a silo under puts, overwrites, deletes and gets, kill -9, start.
# Usage: kill-loop.sh [--loops N]   (default 500)
set -euo pipefail
loops=500
case "${1:-}" in
    "") ;;
    --loops) loops=${2:?--loops N} ;;
    *) echo "usage: kill-loop.sh [--loops N]" >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/../.." && pwd)
ZEROSTOR_LOOPS=$loops dotnet run -c Release --project "$top/tests/ZeroStor.Cluster.Tests" -- \
    -class ZeroStor.Cluster.Tests.KillLoopTests -showLiveOutput
