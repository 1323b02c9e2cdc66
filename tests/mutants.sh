#!/bin/sh
# Do the tests notice? Applies the mutations of tests/mutants.txt to a copy of the sources, one at a time, builds it and runs the
# suites that should fail: short first, then in full. Prints a line per mutant; fails if one survives, if one does not compile,
# or if a file of libso has none. The copy and its builds are in FOLDER, one per job.
# Usage: tests/mutants.sh FOLDER JOBS ISA [PART]   (only the mutants whose file name contains PART; ISA: the copy that is built)
set -eu
folder=$1 jobs=$2 isa=$3 part=${4:-}
root=$(cd "$(dirname "$0")/.." && pwd)
case $folder in /*) ;; *) folder=$root/$folder ;; esac
make="make --no-print-directory -j1 BUILD=build ISAS=$isa COMMIT=mutants CFLAGS=-O2 KERNEL_OPT=-O1"
program=build/tests/check

# What a mutation may change.
objects() { find build -name '*.o' -o -name '*.a'; }

# Ends when a check has failed: the program, in one process (CK_FORK=no), dies of its next line.
until_failure='{ print; fflush() } / FAIL |:[FE]:/ { exit }'

# One mutant, in the copy of this job. FOLDER/list/N.* hold its file, suites, old text, new text.
one() {
    number=$1 slot=$2
    list=$folder/list/$number
    file=$(cat "$list.file")
    cd "$folder/$slot"
    cp -p "$file" "$folder/$slot.source"
    awk -v old="$list.old" -v new="$list.new" -f "$root/tests/mutants.awk" "$file" > "$folder/$slot.mutant"
    cp "$folder/$slot.mutant" "$file"
    verdict= started=$(date +%s)
    # Kernels on the shim are not tried: those that share a table with libso would take most of the time.
    shim=$(find build/shim -name '*.o' | sed 's/^/-o /')
    # shellcheck disable=SC2086  # words are meant to split
    if ! $make $shim WARN='-std=c11 -w -Wno-psabi' $program > "$list.log" 2>&1; then
        verdict="does not compile, see $list.log"
    else
        for depth in short full; do
            for suite in $(cat "$list.suites"); do
                [ -z "$verdict" ] || break
                { SO_TEST_DEPTH=$depth CK_FORK=no timeout 300 $program "$suite" 2>&1 || echo "status $?"; } 2> /dev/null |
                    awk "$until_failure" > "$list.log"
                hung=$(sed -n 's/^status 124$/, stopped after 300 s/p' "$list.log")
                tail -n 1 "$list.log" | grep -q ' 0 failed$' || verdict="killed by $suite ($depth$hung)"
            done
        done
    fi
    cp -p "$folder/$slot.source" "$file"
    tar xf "$folder/objects.tar"
    printf '%s, %s s: %s: %s -> %s\n' "${verdict:-SURVIVED}" $(($(date +%s) - started)) "$file" "$(tr '\n' ' ' < "$list.old")" \
        "$(tr '\n' ' ' < "$list.new")" | tee "$list.verdict"
}
if [ "${MUTANT_SLOT:-}" ]; then
    one "$part" "$MUTANT_SLOT"
    exit 0
fi

cd "$root"
rm -rf "$folder/list" && mkdir -p "$folder/list"
awk -v list="$folder/list" -v part="$part" -f tests/mutants.awk tests/mutants.txt
count=$(find "$folder/list" -name '*.file' | wc -l)
[ "$count" -gt 0 ] || { echo "mutants: no file of tests/mutants.txt contains '$part'" >&2; exit 1; }
if [ -z "$part" ]; then
    for file in $(find libso -name '*.c' ! -path 'libso/examples/*'); do
        grep -qxF "$file" "$folder"/list/*.file || { echo "mutants: none for $file" >&2; exit 1; }
    done
fi

rm -rf "$folder"/[0-9]*
mkdir -p "$folder/0"
cp -a Makefile libso harness kernels bench tests "$folder/0/"
cd "$folder/0"
$make -j "$jobs" WARN='-std=c11 -w -Wno-psabi' $program > "$folder/build.log" 2>&1 ||
    { echo "mutants: the sources do not build, see $folder/build.log" >&2; exit 1; }
SO_TEST_DEPTH=short CK_FORK=no $program -j "$jobs" $(sort -u "$folder"/list/*.suites) > "$folder/build.log" 2>&1 ||
    { echo "mutants: the suites fail without any mutation, see $folder/build.log" >&2; exit 1; }
objects | tar cf "$folder/objects.tar" -T -
cd "$root"
slot=1
while [ $slot -lt "$jobs" ]; do
    cp -a "$folder/0" "$folder/$slot"
    slot=$((slot + 1))
done
started=$(date +%s)
seq 1 "$count" | xargs -P "$jobs" -n 1 --process-slot-var=MUTANT_SLOT "$0" "$folder" "$jobs" "$isa"
cat "$folder"/list/*.verdict | awk -v seconds=$(($(date +%s) - started)) '
    /^killed/ { killed++ }
    !/^killed/ { print "mutants: " $0; others++ }
    END { printf "mutants: %d killed, %d not, in %d s\n", killed, others, seconds; exit others > 0 }'
