#!/bin/sh
# bundle.sh FOLDER COMMIT CHECK SWEEP LIBSO LIBSO_CUDA: puts the programs, the script that runs them, the commit that they were made of
# and the shared libraries they need into FOLDER, and it into FOLDER.tar.gz; those of the C library and of CUDA are the machine's own.
# Then tries that nothing else is missing.
set -eu
folder=$1 commit=$2 check=$3 sweep=$4 libso=$5 libso_cuda=$6
here=$(dirname "$0")
own='/(ld-linux[^/]*|libc|libm|libdl|librt|libpthread|libcuda|libcublas|libcublasLt|libcusolver|libcusparse|libnvJitLink)\.so'
needs() { ldd "$@" | awk '$2 == "=>" && $3 ~ "^/" { print $3 }' | grep -Ev "$own" | sort -u; }

rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib" "$folder/peers"
folder=$(cd "$folder" && pwd) # as ldd names it
cp "$here/run" "$folder"
echo "$commit" > "$folder/commit"
cp bench/peers/torch_gpu.py "$folder/peers"
cp "$libso" "$libso_cuda" "$folder/lib"
for program in "$check" "$sweep"; do
    cp "$program" "$folder/bin"
done
for library in $(LD_LIBRARY_PATH="$folder/lib" needs "$check" "$sweep" "$folder"/lib/*); do
    case $library in "$folder"/*) ;; *) cp -L "$library" "$folder/lib" ;; esac
done
strip -d "$folder"/bin/* "$folder"/lib/*

stray=$(env -i ldd "$folder"/bin/* "$folder"/lib/libso*.so.* | awk '$2 == "=>" { print $1, $3 }' |
    grep -v " $folder/" | awk '{ print "/" $1, $2 }' | grep -Ev "$own" | sort -u) || true
[ -z "$stray" ] || { echo "gpu-bundle: not in the bundle: $stray"; exit 1; }
tar -czf "$folder.tar.gz" -C "$(dirname "$folder")" "$(basename "$folder")"
megabytes=$(du -sm "$folder.tar.gz" | cut -f 1)
[ "$megabytes" -le 48 ] || { echo "gpu-bundle: $folder.tar.gz: $megabytes MiB are too many: 48 at most"; exit 1; }
echo "gpu-bundle: $folder.tar.gz, $megabytes MiB; unpack it on a machine with a GPU and call gpu-bundle/run"
