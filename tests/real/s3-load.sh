#!/usr/bin/env bash
# Load on S3: clients at once against a model of the truth, malformed requests, 2 GiB in parts, and the throughput beside
# the SDK's in the same run. Against one silo, or with FABRIC=7 against seven on PostgreSQL.
# Usage: s3-load.sh   (VERBS="mixed malformed upload throughput", CLIENTS=256, SECONDS_OF_LOAD=60, REQUESTS=10000, BYTES=2GiB)
. "$(dirname "$0")/s3.sh"
start_s3
wrong=0
try() {
    [[ " ${VERBS:-mixed malformed upload throughput} " == *" $1 "* ]] || return 0
    say "$1"
    s3load "$@" || { wrong=1; say "$1 FAILED"; }
}
try mixed --clients "${CLIENTS:-256}" --seconds "${SECONDS_OF_LOAD:-60}"
try malformed --count "${REQUESTS:-10000}"
try upload --bytes "${BYTES:-2GiB}" --folder "$work"
try throughput --gateway "$gateway"
! grep -n 'broke\|Unhandled' "$log" || { wrong=1; say "the silo says that something broke"; }
[ "$wrong" = 0 ] || fail "not as promised"
stop_s3
say "done"
