#!/usr/bin/env bash
# The clients that people have: awscli, s3cmd, rclone, restic and s3fs of Debian, @aws-sdk/client-s3 and minio of npm,
# Minio of NuGet. Round trips of objects of many sizes and odd keys, a sync of a real tree, a backup that loses four of 24
# disks, a mount. Against one silo, or with FABRIC=7 against seven on PostgreSQL. What is not installed is said and left
# out, unless CLIENTS names it.
# Usage: s3-clients.sh   (CLIENTS="aws s3cmd rclone restic s3fs node dotnet", S3_PORT=9377, NODE_MODULES=DIR)
. "$(dirname "$0")/s3.sh"
wanted=${CLIENTS:-}
aws_cli=${AWS_CLI:-$([ -x /usr/bin/aws ] && echo /usr/bin/aws || command -v aws || true)}
start_s3
[ "$(stat -c %a "$credentials")" = 600 ] || fail "others may read the credentials"
! grep -qF "$secret" "$log" || fail "the secret is in the log"
export AWS_SHARED_CREDENTIALS_FILE=$credentials AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 LC_ALL=C.UTF-8
mkdir -p "$work/in" "$work/out" "$mnt"
# Presigning, botocore takes Signature V2 for what is not Amazon's unless it is told otherwise; that is long out of use.
printf '[default]\ns3 =\n    signature_version = s3v4\n' >"$work/aws.conf"
export AWS_CONFIG_FILE=$work/aws.conf
unset AWS_CA_BUNDLE # rclone stumbles over it
for bytes in 0 1 65537 5242879 5242880 5242881 104857600; do
    head -c "$bytes" /dev/urandom >"$work/in/$bytes"
done
odd=('a b' 'a+b' 'a%b' 'a%20b' 'ä€' 'a//b' 'a/b/' "$(printf 'k%.0s' $(seq 1024))")
mkdir "$work/tree"
git -C "$top" archive HEAD src client | tar -x -C "$work/tree"

# has NAME: whether a client is there; one that CLIENTS names must be
has() {
    if [ -n "$wanted" ] && [[ " $wanted " != *" $1 "* ]]; then return 1; fi
    if command -v "$1" >/dev/null; then return; fi
    [ -z "$wanted" ] || fail "$1 is not installed"
    say "$1 is not installed: left out"
    return 1
}

same() { cmp "$1" "$2" || fail "$3 came back otherwise"; }

if has aws; then
    say "awscli: $("$aws_cli" --version 2>&1)"
    aws() { "$aws_cli" --endpoint-url "$url" "$@"; }
    aws s3 mb s3://aws >/dev/null
    for file in "$work"/in/*; do
        name=$(basename "$file")
        aws s3 cp --quiet "$file" "s3://aws/of/$name"
        aws s3 cp --quiet "s3://aws/of/$name" "$work/out/$name"
        same "$file" "$work/out/$name" "aws: $name"
    done
    for key in "${odd[@]}" /a; do
        aws s3api put-object --bucket aws --key "$key" --body "$work/in/65537" >/dev/null
        aws s3api get-object --bucket aws --key "$key" "$work/out/key" >/dev/null
        same "$work/in/65537" "$work/out/key" "aws: $key"
    done
    [ "$(aws s3api list-objects-v2 --bucket aws --query 'length(Contents)')" = 16 ] || fail "aws lists something else"
    curl -sf "$(aws s3 presign s3://aws/of/65537)" | cmp - "$work/in/65537"
    aws s3 sync --quiet "$work/tree" s3://aws/tree
    aws s3 sync --quiet s3://aws/tree "$work/out/tree"
    diff -r "$work/tree" "$work/out/tree" || fail "aws: the trees differ"
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
        same "$file" "$work/out/$name" "s3cmd: $name"
    done
    for key in "${odd[@]}"; do
        [[ $key != */ ]] || continue # it takes that for a folder
        s3cmd put "$work/in/65537" "s3://s3cmd/$key"
        s3cmd get --force "s3://s3cmd/$key" "$work/out/key"
        same "$work/in/65537" "$work/out/key" "s3cmd: $key"
    done
    [ "$(command s3cmd -c "$work/s3cfg" ls --recursive s3://s3cmd | wc -l)" = 14 ] || fail "s3cmd lists something else"
    s3cmd del --recursive --force s3://s3cmd
    s3cmd rb s3://s3cmd
fi

if has rclone; then
    say "$(rclone version | head -1)"
    export RCLONE_CONFIG=$work/rclone.conf RCLONE_CONFIG_ZS_TYPE=s3 RCLONE_CONFIG_ZS_PROVIDER=Other \
        RCLONE_CONFIG_ZS_ENDPOINT=$url RCLONE_CONFIG_ZS_ACCESS_KEY_ID=$access RCLONE_CONFIG_ZS_SECRET_ACCESS_KEY=$secret
    : >"$work/rclone.conf"
    rclone mkdir zs:rclone
    mkdir "$work/odd"
    for key in "${odd[@]:0:5}"; do cp "$work/in/65537" "$work/odd/$key"; done # a file's name bears no more
    for folder in tree in odd; do
        rclone sync "$work/$folder" "zs:rclone/$folder"
        rclone check --download "$work/$folder" "zs:rclone/$folder" 2>"$work/check" || { cat "$work/check"; fail "rclone: $folder differs"; }
    done
    rclone purge zs:rclone
fi

if has restic; then
    say "$(restic version)"
    export AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=$secret RESTIC_PASSWORD=x RESTIC_REPOSITORY=s3:$url/restic
    restic() { command restic -q --no-cache "$@"; }
    restic init
    restic backup "$work/tree" "$work/in"
    # As many as 20+4 bears, while it runs: two forget all they held, two are gone.
    find "${doomed[@]:0:2}" -type f -exec truncate -s 0 {} +
    rm -rf "${doomed[@]:2}"
    restic check --read-data
    restic restore latest --target "$work/restored"
    for folder in tree in; do
        diff -r "$work/$folder" "$work/restored$work/$folder" || fail "restic: $folder differs"
    done
    unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
fi

if has s3fs; then
    if [ -e /dev/fuse ]; then
        say "$(s3fs --version | head -1)"
        printf '%s:%s\n' "$access" "$secret" >"$work/s3fs-passwd"
        chmod 600 "$work/s3fs-passwd"
        zs vault create s3fs >/dev/null
        mount_s3fs() { s3fs s3fs "$mnt" -o "url=$url,use_path_request_style,passwd_file=$work/s3fs-passwd"; }
        mount_s3fs
        cp -r "$work/tree" "$work/in" "$mnt/"
        cp -r "$work/tree" "$work/in" "$work/out/"
        for root in "$mnt" "$work/out"; do
            mv "$root/tree/src" "$root/tree/was src"
            mv "$root/in/104857600" "$root/in/large"
            truncate -s 30000000 "$root/in/large"
            truncate -s 0 "$root/in/65537"
            truncate -s 7000000 "$root/in/5242881"
            printf more >>"$root/in/5242880"
        done
        fusermount -u "$mnt"
        mount_s3fs # nothing of it is remembered
        for folder in tree in; do
            diff -r "$work/out/$folder" "$mnt/$folder" || fail "s3fs: $folder differs"
        done
        rm -rf "$mnt/tree"
        [ "$(ls "$mnt")" = in ] || fail "s3fs: more is left than was"
        fusermount -u "$mnt"
    else
        say "there is no /dev/fuse: s3fs is left out"
    fi
fi

if has node && [ -d "${NODE_MODULES:-/nonexistent}" ]; then
    say "npm's @aws-sdk/client-s3 and minio"
    ln -s "$NODE_MODULES" "$work/node_modules"
    cp "$(dirname "$0")/s3-clients.mjs" "$work/"
    S3_URL=$url S3_ACCESS=$access S3_SECRET=$secret IN=$work/in node "$work/s3-clients.mjs"
fi

if has dotnet; then
    say "NuGet's Minio"
    s3load minio --files "$work/in" || fail "Minio: something came back otherwise"
fi
stop_s3
say "done"
