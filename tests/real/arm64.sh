#!/usr/bin/env bash
# The tests of the codec and of the sealing on an Arm64 that QEMU emulates, so that the kernel 'advsimd' and the Arm64
# forms of the libraries run. Says nothing of speed. The emulator and its libraries come from Debian, into a folder of
# this run alone: no root is needed, and nothing is installed.
# Usage: arm64.sh [NAMESPACE...]   (default ZeroStor.Tests.Erasure and ZeroStor.Tests.Sealing)
set -euo pipefail
command -v apt-get >/dev/null || { echo "This needs Debian's apt-get." >&2; exit 1; }
top=$(cd "$(dirname "$0")/../.." && pwd)
spaces=("$@")
[ "$#" -gt 0 ] || spaces=(ZeroStor.Tests.Erasure ZeroStor.Tests.Sealing)
# Within the repository, where the tests find their vectors.
mkdir -p "$top/tests/ZeroStor.Tests/obj"
work=$(mktemp -d "$top/tests/ZeroStor.Tests/obj/arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/arm"
: >"$work/apt/status"
apt() {
    apt-get -qq -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root \
        -o Dir::State::lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" "$@"
}
apt update
(cd "$work/apt" && apt download qemu-user-static libc6:arm64 libgcc-s1:arm64 libstdc++6:arm64 libssl3:arm64 zlib1g:arm64)
for package in "$work"/apt/*.deb; do dpkg-deb -x "$package" "$work/arm"; done

dotnet publish "$top/tests/ZeroStor.Tests" -c Release -r linux-arm64 --self-contained -o "$work/tests" -v q -nologo \
    --artifacts-path "$work/build" -p:InvariantGlobalization=true
# The emulator does not see code that is written at a second address, as W^X does; nor can it be debugged.
export DOTNET_EnableWriteXorExecute=0 DOTNET_EnableDiagnostics=0 DOTNET_TieredCompilation=0
cd "$work/tests"
arm() {
    "$work/arm/usr/bin/qemu-aarch64-static" -L "$work/arm" -cpu cortex-a76 \
        -E LD_LIBRARY_PATH="$work/arm/usr/lib/aarch64-linux-gnu:$work/arm/lib/aarch64-linux-gnu" \
        ./ZeroStor.Tests -namespace "$1*" "${@:2}"
}
for space in "${spaces[@]}"; do
    echo "$space on Arm64"
    arm "$space" -verbose >"$work/log" || { grep -v "STARTING\|FINISHED" "$work/log"; exit 1; }
    grep -o "Total: .*" "$work/log"
    # A kernel that is not there would not be missed.
    if [ "$space" = ZeroStor.Tests.Erasure ] && ! grep -q '"advsimd".*FINISHED' "$work/log"; then
        echo "FAILED: no test ran 'advsimd'" >&2
        exit 1
    fi
done
