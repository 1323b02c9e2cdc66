#!/bin/sh
# Runs tests/check, built with -fsanitize=thread, on the suites named. gcc's OpenMP runtime hides how its threads synchronise from
# ThreadSanitizer; LLVM's runtime stands in for it, and its tool Archer tells. First races made on purpose must be found, and what
# has none must pass: else the suites would prove nothing.
# Usage: tests/tsan.sh BUILD SUITE...   (CC, CFLAGS, JOBS from the environment)
set -eu
build=$1
shift
archer=$(ls /usr/lib/llvm-*/lib/libarcher.so 2> /dev/null | tail -n 1)
[ -n "$archer" ] || { echo "check-tsan: no libarcher.so under /usr/lib/llvm-*/lib; install libomp-dev" >&2; exit 1; }
# One report per address would hide all races but one in the shared memory of kernels, which begins at one address for all.
run() {
    LD_PRELOAD=${archer%/*}/libomp.so.5 OMP_TOOL_LIBRARIES=$archer \
        TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppress_equal_addresses=0 OPENBLAS_NUM_THREADS=1 CK_FORK=no "$@"
}
cat > "$build/race.c" << 'C'
#include <stdlib.h>
int main(int argc, char **argv)
{
    double x[64] = {0}, sum = 0;
    (void)argv;
#pragma omp parallel num_threads(4)
    {
#pragma omp for schedule(static)
        for (int i = 0; i < 64; i++)
            x[i] = i;
#pragma omp for schedule(dynamic) reduction(+ : sum)
        for (int i = 0; i < 64; i++)
            sum += x[63 - i];
        if (argc > 1) /* every thread writes */
            x[0] += 1;
    }
    return sum == 63 * 32 ? EXIT_SUCCESS : EXIT_FAILURE;
}
C
${CC:-gcc} -std=c11 ${CFLAGS:--O1 -g} -fopenmp -fsanitize=thread "$build/race.c" -o "$build/race"
run "$build/race" || { echo "check-tsan: reports a race where there is none" >&2; exit 1; }
if run "$build/race" on purpose > "$build/race.log" 2>&1 || ! grep -q 'WARNING: ThreadSanitizer: data race' "$build/race.log"; then
    echo "check-tsan: a race made on purpose was not found: see $build/race.log" >&2
    exit 1
fi
races=' in race\(_behind_a_shuffle\)\?$' # the kernels of check_cuda_on_cpu
run "$build/tests/check" check_cuda_on_cpu > "$build/race.log" 2>&1 || true
if [ "$(grep 'SUMMARY: .* data race ' "$build/race.log" | grep -o "$races" | sort -u | wc -l)" != 2 ] ||
    grep 'SUMMARY: ' "$build/race.log" | grep -v "$races" || ! grep -q ', 0 failed$' "$build/race.log"; then
    echo "check-tsan: check_cuda_on_cpu must show the races of its kernels, and no other: see $build/race.log" >&2
    exit 1
fi
echo "check-tsan: the races made on purpose are found, among OpenMP's threads and among those of a kernel"
run "$build/tests/check" -j "${JOBS:-1}" "$@"
