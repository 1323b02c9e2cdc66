#!/bin/sh
# Prints the folder with the real data sets that tests may use: $SO_DATA, or what can be unpacked from ../shared/data into the build
# folder. Where there are none the tests that want them say so.
set -eu
cd "$(dirname "$0")/.."
[ -z "${SO_DATA:-}" ] || { echo "$SO_DATA"; exit 0; }
packed=../shared/data/cifar100
folder=$1/data
if [ -f "$packed/test.bin.xz" ] && command -v xz >/dev/null && [ ! -f "$folder/train.bin" ]; then
    mkdir -p "$folder"
    xz -dc "$packed/test.bin.xz" > "$folder/test.bin"
    cat "$packed"/train.bin.part?.xz | xz -dc > "$folder/train.bin.tmp"
    mv "$folder/train.bin.tmp" "$folder/train.bin"
fi
echo "$folder"
