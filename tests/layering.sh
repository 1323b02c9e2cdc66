#!/bin/sh
# Dependencies point one way (README, "The house"): nothing includes upwards. Every #include is resolved as the compiler does it:
# beside the file, then on the path of the Makefile (the root, libso, harness).
set -eu
cd "$(dirname "$0")/.."
grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' --include='*.[ch]' --include='*.cu' --include='*.cuh' \
    libso harness kernels bench proofs 2> /dev/null | awk '
    function exists(path,    line, found) {
        if (!(path in known)) {
            known[path] = (getline line < path) >= 0
            close(path)
        }
        return known[path]
    }
    function tidy(path) { # a/b/../c -> a/c
        gsub(/\/\.\//, "/", path)
        while (match(path, /[^\/.]+\/\.\.\//))
            path = substr(path, 1, RSTART - 1) substr(path, RSTART + RLENGTH)
        return path
    }
    function resolve(folder, name,    i) {
        if (exists(tidy(folder "/" name)))
            return tidy(folder "/" name)
        for (i = 1; i <= 3; i++)
            if (exists(tidy(path[i] name)))
                return tidy(path[i] name)
        return ""
    }
    BEGIN {
        path[1] = ""; path[2] = "libso/"; path[3] = "harness/"
        allowed["libso"] = "^libso/"
        allowed["harness"] = "^(harness/|libso/so[.]h$)"
        allowed["kernels"] = "^(kernels|harness|libso)/"
        allowed["proofs"] = "^(proofs|harness|libso)/"
        allowed["bench"] = "^(bench|harness|libso)/"
    }
    {
        split($0, part, ":")
        file = part[1]
        folder = top = file
        sub(/\/[^\/]*$/, "", folder)
        sub(/\/.*/, "", top)
        name = $0
        sub(/^[^<"]*[<"]/, "", name)
        sub(/[>"].*/, "", name)
        target = resolve(folder, name)
        if (target != "" && target !~ allowed[top]) {
            print "layering: " file ":" part[2] ": includes " target
            bad = 1
        }
    }
    END {
        if (!bad) print "layering: ok"
        exit bad
    }'
