#!/bin/sh
# Dependencies point one way (README, "The house"): nothing includes upwards. Verified from the #include lines.
set -eu
cd "$(dirname "$0")/.."
bad=0
forbid() { # folder, pattern of included paths, what is allowed
    found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1" --include='*.[ch]' --include='*.cu' --include='*.cuh' || true)
    [ -z "$found" ] || { echo "layering: $1 may include $3:"; echo "$found"; bad=1; }
}
forbid libso '(\.\./)*(kernels|harness|proofs|bench|tests)/' "nothing outside libso"
forbid libso '(ops|model|data|io|report)/' "nothing of the harness"
forbid harness '(\.\./)*(kernels|proofs|bench|tests)/' "libso/so.h and the harness itself"
forbid harness '(\.\./)*libso/[^s]|backend\.h|context\.h|cpu/|real\.h' "libso only through so.h"
forbid proofs '(\.\./)*(tests|bench|kernels)/' "libso and the harness only"
forbid bench '(\.\./)*(tests|proofs|kernels)/' "libso and the harness only"
[ "$bad" = 0 ] && echo "layering: ok"
exit "$bad"
