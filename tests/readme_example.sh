#!/bin/sh
# The C example of the README compiles as shown, after what `make` builds, and prints what the README says; its links lead somewhere.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
awk '/^```c$/ { on = 1; next } /^```$/ { if (on) exit } on' README.md > "$folder/example.c"
awk '/^<!-- example prints -->$/ { on = 1; next } on && /^```/ { fence++; if (fence == 2) exit; next } on && fence' README.md \
    > "$folder/expected"
if ! [ -s "$folder/example.c" ] || ! [ -s "$folder/expected" ]; then
    echo "readme: no example found in README.md"
    exit 1
fi
(unset MAKEFLAGS MFLAGS MAKELEVEL && make -pnq BUILD="$folder/build" 2> /dev/null || true) |
    grep -qx '\.DEFAULT_GOAL := all' || { echo "readme: make alone does not build everything"; exit 1; }
# shellcheck disable=SC2086  # SANITIZE holds several flags
${CC:-gcc} -std=c11 -Wall -Wextra -Werror ${SANITIZE:-} -Ilibso "$folder/example.c" "$build/libso.a" -fopenmp -llapacke -lopenblas -lm \
    -o "$folder/example"
"$folder/example" > "$folder/printed"
diff "$folder/expected" "$folder/printed" || { echo "readme: the example prints something else"; exit 1; }
echo "readme: the example compiles and prints what it should"
# Relative links lead somewhere.
grep -oE '\]\([^)#:]+\)' README.md | sed 's/^](//; s/)$//' | while read -r link; do
    [ -e "$link" ] || { echo "readme: dead link $link"; exit 1; }
done
