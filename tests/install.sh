#!/bin/sh
# What `make install` puts down is a library that a distribution could ship: the examples compile against it in C and C++,
# shared and static, and run; the shared object exports what so.h declares and nothing else; the manual renders and covers
# every function; the same sources give the same bits in another folder; `make uninstall` leaves nothing behind.
# Environment: BUILD, CC, CXX, CFLAGS, SANITIZE, VERSION as in the Makefile; `make lib` has been done.
set -eu
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL # the caller's -j, -n and variables; ours are in the environment
export BUILD="${BUILD:-build}"
flags="-Wall -Wextra -Werror ${SANITIZE:-}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "install: $*"; exit 1; }

dest=$folder/dest
major=${VERSION%%.*}
make -s install DESTDIR="$dest" PREFIX=/usr/local
lib=$dest/usr/local/lib
so=$lib/libso.so
pages=$dest/usr/local/share/man/man3

# ---- symbols ------------------------------------------------------------------------------------------------------------
sed -n 's/^SO_API .*[ *]\(so_[a-z0-9_]*\)(.*/\1/p' libso/so.h | sort > "$folder/declared"
nm -D --defined-only "$so" | awk '$3 !~ /^__odr_asan/ { print $3 }' | sort > "$folder/exported"
[ -s "$folder/declared" ] || fail "no declarations found in so.h"
diff "$folder/declared" "$folder/exported" || fail "libso.so exports something else than so.h declares"
nm -g --defined-only "$lib/libso.a" | awk 'NF == 3 && $3 !~ /^__odr_asan/ { print $3 }' | sort > "$folder/exported"
diff "$folder/declared" "$folder/exported" || fail "libso.a exports something else than so.h declares"
readelf -d "$so" | grep -q "SONAME.*\[libso\.so\.$major\]" || fail "libso.so has no soname libso.so.$major"

# ---- examples -----------------------------------------------------------------------------------------------------------
export PKG_CONFIG_PATH="$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$dest" LD_LIBRARY_PATH="$lib"
shared="$(pkg-config --cflags --libs so) -lm"
static="$(pkg-config --cflags --libs --static so | sed 's/-lso /-l:libso.a /')"
compilers="${CC:-gcc} -std=c11"
cxx=${CXX:-g++}
if command -v "$cxx" > /dev/null; then
    compilers="$compilers
$cxx -x c++"
else
    echo "install: no $cxx here: not tried from C++"
fi
for source in libso/examples/*.c; do
    echo "$compilers" | while read -r compiler; do
        for libs in "$shared" "$static"; do
            # shellcheck disable=SC2086  # words are meant to split
            $compiler $flags "$source" -x none $libs -o "$folder/example" || fail "$source: $compiler"
            "$folder/example" > "$folder/printed" || fail "$source: fails, compiled by $compiler"
            cmp -s "$folder/printed" "$folder/first" 2> /dev/null || {
                [ ! -e "$folder/first" ] || fail "$source: prints something else, compiled by $compiler"
                cp "$folder/printed" "$folder/first"
                uses=$(readelf -d "$folder/example" | grep -c "NEEDED.*libso\.so\.$major") || true
                [ "$uses" = 1 ] || fail "$source: does not load libso.so.$major"
            }
        done
    done
    ! readelf -d "$folder/example" | grep -q 'NEEDED.*libso\.so' || fail "$source: the static program loads libso.so"
    rm "$folder/first"
done

# ---- libso_cuda, if `make cuda` has built it ------------------------------------------------------------------------------
if [ -e "$lib/libso_cuda.so" ]; then
    sed -n 's/^SO_API .*[ *]\(so_[a-z0-9_]*\)(.*/\1/p' libso/so_cuda.h > "$folder/declared_cuda"
    [ -s "$pages/so_cuda.3" ] || fail "no page for so_cuda.h"
    nm -D --defined-only "$lib/libso_cuda.so" | awk '{ print $3 }' > "$folder/exported"
    diff "$folder/declared_cuda" "$folder/exported" || fail "libso_cuda.so exports something else than so_cuda.h declares"
    nm -g --defined-only "$lib/libso_cuda.a" | awk 'NF == 3 { print $3 }' > "$folder/exported"
    diff "$folder/declared_cuda" "$folder/exported" || fail "libso_cuda.a exports something else than so_cuda.h declares"
    readelf -d "$lib/libso_cuda.so" | grep -q "SONAME.*\[libso_cuda\.so\.$major\]" ||
        fail "libso_cuda.so has no soname libso_cuda.so.$major"
    readelf -d "$lib/libso_cuda.so" | grep -q "NEEDED.*\[libso\.so\.$major\]" || fail "libso_cuda.so does not load libso.so.$major"
    cat > "$folder/cuda.c" << 'END'
#include <so_cuda.h>
int main(void)
{
    so_ctx *ctx;
    so_status status = so_ctx_create_cuda(&ctx, 0, NULL);
    so_ctx_destroy(ctx);
    return status != SO_OK && status != SO_EDEVICE; /* without a driver */
}
END
    for libs in "$(pkg-config --cflags --libs so_cuda)" \
        "$(pkg-config --cflags --libs --static so_cuda | sed 's/-lso_cuda /-l:libso_cuda.a /; s/-lso /-l:libso.a /')"; do
        # shellcheck disable=SC2086  # words are meant to split
        ${CC:-gcc} $flags "$folder/cuda.c" $libs -o "$folder/cuda" || fail "so_cuda.pc: cannot link with $libs"
        "$folder/cuda" || fail "a program on libso_cuda fails"
    done
fi

# ---- manual -------------------------------------------------------------------------------------------------------------
cat "$folder"/declared* > "$folder/names"
while read -r name; do
    [ -s "$pages/$name.3" ] || fail "no page for $name"
done < "$folder/names"
for page in "$pages"/*.3; do
    target=$(sed -n 's|^\.so man3/||p' "$page")
    [ -z "$target" ] || [ -s "$pages/$target" ] || fail "$page refers to $target, which does not exist"
    [ -z "$target" ] || continue
    if command -v mandoc > /dev/null; then
        mandoc -Tlint -Wwarning "$page" || fail "$page: mandoc"
    elif command -v groff > /dev/null; then
        [ -z "$(groff -man -Tascii -ww -z "$page" 2>&1)" ] || fail "$page: groff"
    fi
done

# ---- the same bits in another folder: some objects compiled there, both libraries made again -------------------------------
mkdir -p "$folder/elsewhere/build"
cp -Rp Makefile libso "$folder/elsewhere"
mkdir -p "$folder/elsewhere/kernels" "$folder/elsewhere/tests/gpu"
cp -p kernels/nvcc.mk "$folder/elsewhere/kernels"
cp -p tests/gpu/gpu.mk "$folder/elsewhere/tests/gpu"
(cd "$BUILD" && tar cf - flags libso f32* f64*) | (cd "$folder/elsewhere/build" && tar xf -)
find "$folder/elsewhere/build" -name '*.d' -exec rm {} +
rm -f "$folder"/elsewhere/build/libso/*.o "$folder"/elsewhere/build/f32_portable/libso/cpu/*.o
BUILD=build make -s -C "$folder/elsewhere" lib > /dev/null
for library in libso.a "libso.so.$VERSION"; do
    cmp "$folder/elsewhere/build/$library" "$BUILD/$library" || fail "$library differs when built in another folder"
done

make -s uninstall DESTDIR="$dest" PREFIX=/usr/local
[ -z "$(find "$dest" ! -type d)" ] || fail "uninstall leaves $(find "$dest" ! -type d)"
echo "install: symbols, examples, manual, same bits elsewhere, uninstall: ok"
