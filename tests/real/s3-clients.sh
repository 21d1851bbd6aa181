#!/usr/bin/env bash
# The clients that people have against one silo: awscli, s3cmd, rclone, restic of Debian, @aws-sdk/client-s3 and minio of
# npm. Round trips of objects of many sizes and odd keys, a sync of a real tree, a backup. What is not installed is said
# and left out, unless CLIENTS names it.
# Usage: s3-clients.sh   (CLIENTS="aws s3cmd rclone restic node", S3_PORT=9377, NODE_MODULES=DIR)
. "$(dirname "$0")/lib.sh"
s3_port=${S3_PORT:-9377}
url=http://127.0.0.1:$s3_port
wanted=${CLIENTS:-}
start_silo --disks 6 --code 4+2 --s3 "127.0.0.1:$s3_port"
credentials=$data/keys/s3-credentials
for _ in $(seq 100); do [ -s "$credentials" ] && break; sleep 0.1; done # made when S3 is up, a moment later
[ "$(stat -c %a "$credentials")" = 600 ] || fail "others may read the credentials"
! grep -q "$(awk '/secret/ {print $3}' "$credentials")" "$work/silo.log" || fail "the secret is in the log"
export AWS_SHARED_CREDENTIALS_FILE=$credentials AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1
# Presigning, botocore takes Signature V2 for what is not Amazon's unless it is told otherwise; that is long out of use.
printf '[default]\ns3 =\n    signature_version = s3v4\n' >"$work/aws.conf"
export AWS_CONFIG_FILE=$work/aws.conf
unset AWS_CA_BUNDLE # rclone stumbles over it
access=$(awk '/access_key_id/ {print $3}' "$credentials")
secret=$(awk '/secret/ {print $3}' "$credentials")
mkdir -p "$work/in" "$work/out"
for bytes in 0 1 65537 5242879 5242880 5242881 104857600; do
    head -c "$bytes" /dev/urandom >"$work/in/$bytes"
done

# has NAME: whether a client is there; one that CLIENTS names must be
has() {
    if [ -n "$wanted" ] && [[ " $wanted " != *" $1 "* ]]; then return 1; fi
    if command -v "$1" >/dev/null; then return; fi
    [ -z "$wanted" ] || fail "$1 is not installed"
    say "$1 is not installed: left out"
    return 1
}

if has aws; then
    say "awscli: $(aws --version 2>&1)"
    aws() { command aws --endpoint-url "$url" "$@"; }
    aws s3 mb s3://aws >/dev/null
    for file in "$work"/in/*; do
        name=$(basename "$file")
        aws s3 cp --quiet "$file" "s3://aws/of/$name"
        aws s3 cp --quiet "s3://aws/of/$name" "$work/out/$name"
        cmp "$file" "$work/out/$name"
    done
    for key in 'a b' 'a+b' 'a%b' 'ä€' 'a//b' "$(printf 'k%.0s' $(seq 1024))"; do
        aws s3api put-object --bucket aws --key "$key" --body "$work/in/65537" >/dev/null
        aws s3api get-object --bucket aws --key "$key" "$work/out/key" >/dev/null
        cmp "$work/in/65537" "$work/out/key"
    done
    [ "$(aws s3api list-objects-v2 --bucket aws --query 'length(Contents)')" = 13 ] || fail "aws lists something else"
    curl -sf "$(aws s3 presign s3://aws/of/65537)" | cmp - "$work/in/65537"
    aws s3 rm --quiet --recursive s3://aws
    aws s3 rb s3://aws >/dev/null
fi

if has s3cmd; then
    say "$(s3cmd --version)"
    printf '[default]\naccess_key=%s\nsecret_key=%s\nhost_base=127.0.0.1:%s\nhost_bucket=127.0.0.1:%s\nuse_https=False\n' \
        "$access" "$secret" "$s3_port" "$s3_port" >"$work/s3cfg"
    s3cmd() { command s3cmd -c "$work/s3cfg" -q --no-progress "$@"; }
    s3cmd mb s3://s3cmd
    for file in "$work"/in/*; do
        name=$(basename "$file")
        s3cmd put "$file" "s3://s3cmd/$name"
        s3cmd get --force "s3://s3cmd/$name" "$work/out/$name"
        cmp "$file" "$work/out/$name"
    done
    s3cmd del --recursive --force s3://s3cmd
    s3cmd rb s3://s3cmd
fi

if has rclone; then
    say "$(rclone version | head -1)"
    export RCLONE_CONFIG=$work/rclone.conf RCLONE_CONFIG_ZS_TYPE=s3 RCLONE_CONFIG_ZS_PROVIDER=Other \
        RCLONE_CONFIG_ZS_ENDPOINT=$url RCLONE_CONFIG_ZS_ACCESS_KEY_ID=$access RCLONE_CONFIG_ZS_SECRET_ACCESS_KEY=$secret
    : >"$work/rclone.conf"
    rclone mkdir zs:rclone
    rclone sync "$top/src" zs:rclone/src --exclude '{bin,obj}/**'
    rclone sync "$work/in" zs:rclone/in
    rclone check --download "$top/src" zs:rclone/src --exclude '{bin,obj}/**' 2>"$work/check" || { cat "$work/check"; fail "rclone differs"; }
    rclone check --download "$work/in" zs:rclone/in 2>"$work/check" || { cat "$work/check"; fail "rclone differs"; }
    rclone purge zs:rclone
fi

if has restic; then
    say "$(restic version)"
    export AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=$secret RESTIC_PASSWORD=x RESTIC_REPOSITORY=s3:$url/restic
    restic -q --no-cache init
    restic -q --no-cache backup "$top/src/ZeroStor.Core" --exclude bin --exclude obj
    rm -rf "$data/disk01" # one of six is gone, and another rots, which is what 4+2 bears
    for volume in "$data"/disk02/*; do
        [ ! -f "$volume" ] || [ "$(stat -c %s "$volume")" -lt 2097152 ] || truncate -s 1048576 "$volume"
    done
    restic -q --no-cache check --read-data
    restic -q --no-cache restore latest --target "$work/restored"
    diff -r --exclude bin --exclude obj "$top/src/ZeroStor.Core" "$work/restored$top/src/ZeroStor.Core"
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
fi

if has node && [ -d "${NODE_MODULES:-/nonexistent}" ]; then
    say "npm's @aws-sdk/client-s3 and minio"
    ln -s "$NODE_MODULES" "$work/node_modules"
    cp "$(dirname "$0")/s3-clients.mjs" "$work/"
    S3_URL=$url S3_ACCESS=$access S3_SECRET=$secret IN=$work/in node "$work/s3-clients.mjs"
fi
stop_silo
say "done"
