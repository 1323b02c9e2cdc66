#!/bin/sh
# kernel_report.sh LAUNCHES FILE.ptxas ..: a table, in Markdown, of what every kernel of kernels/so takes: registers and spills as ptxas says
# (-v), threads and shared memory of a block as the program LAUNCHES has seen them, and from these how many blocks fit on a
# multiprocessor. Kernels of one name, in several files or real types, share a row: the most that any of them takes. Fails if a kernel spills, or if the program has not seen a kernel.
set -eu
launches=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# name|threads|shared
nm "$launches" | sort > "$folder/symbols"
"$launches" > "$folder/launched"
awk '
    function value(hex,    i, v) {
        for (i = 1; i <= length(hex); i++)
            v = 16 * v + index("0123456789abcdef", substr(hex, i, 1)) - 1
        return v
    }
    FNR == NR { if ($3 == "main") zero = value($1); if ($2 ~ /[tTwW]/) name[value($1)] = $3; next }
    { print name[$1 + zero] "|" $2 "|" $3 }' "$folder/symbols" "$folder/launched" | c++filt > "$folder/shapes"

# name|architecture|registers|spilled bytes|stack
cat "$@" | awk '
    /Compiling entry function/ { split($0, part, "\047"); name = part[2]; arch = part[4] }
    /bytes stack frame/ { if (name != "") { stack = $1; spilled = $5 + $9 } }
    /Used [0-9]+ registers/ && name != "" {
        match($0, /Used [0-9]+/)
        print name "|" arch "|" substr($0, RSTART + 5, RLENGTH - 5) "|" spilled "|" stack
        name = ""
    }' | c++filt > "$folder/taken"

echo "# What the kernels take"
echo
echo "Made by \`make kernel-report\`, with $(nvcc_version=$("${NVCC:-nvcc}" --version | sed -n 's/.*release \([^,]*\),.*/\1/p'); echo "nvcc $nvcc_version"). Registers of a thread and spilled bytes by \`ptxas -v\`; threads and dynamic"
echo "shared memory of a block as launched, the largest; blocks that fit on a multiprocessor computed from these, not measured. f32 and f64"
echo "show in the types of the template arguments; what has none, or stands in several files, has one row with the most that any takes."
awk -F '|' '
    # Without result type, arguments, namespaces that have no name.
    function short(s,    i, c, depth) {
        gsub(/\(anonymous namespace\)::/, "", s)
        gsub(/> >/, ">>", s)
        sub(/^void /, "", s)
        for (i = 1; i <= length(s); i++) {
            c = substr(s, i, 1)
            depth += (c == "<") - (c == ">")
            if (c == "(" && depth == 0)
                return substr(s, 1, i - 1)
        }
        return s
    }
    function least(a, b) { return a < b ? a : b }
    function most(a, b) { return a + 0 > b + 0 ? a : b }
    function up(x, to) { return int((x + to - 1) / to) * to }
    function blocks(registers, threads, shared, memory,    warps, fit) {
        warps = up(threads, 32) / 32
        fit = least(32, int(64 / warps))
        fit = least(fit, int(4 * int(16384 / up(32 * registers, 256)) / warps))
        return least(fit, int(memory / (up(shared, 128) + 1024)))
    }
    FNR == NR { key = short($1); threads[key] = most(threads[key], $2); shared[key] = most(shared[key], $3); next }
    {
        key = short($1)
        if (!(key in seen)) { seen[key] = 1; order[++count] = key }
        registers[key, $2] = most(registers[key, $2], $3)
        spilled[key] += $4
        stack[key] = most(stack[key], $5)
        archs[$2] = 1
    }
    END {
        printf "\n| kernel | threads | shared memory | registers sm_80 | sm_90 | spilled | stack | blocks sm_80 | sm_90 |\n|---|---|---|---|---|---|---|---|---|\n"
        for (k = 1; k <= count; k++) {
            key = order[k]
            printf "| `%s` | %s | %s", key, threads[key] ? threads[key] : "?", threads[key] ? shared[key] : "?"
            printf " | %s | %s | %d | %d", registers[key, "sm_80"], registers[key, "sm_90"], spilled[key], stack[key]
            printf " | %s", registers[key, "sm_80"] && threads[key] ? blocks(registers[key, "sm_80"], threads[key], shared[key], 164 * 1024) : ""
            printf " | %s |\n", registers[key, "sm_90"] && threads[key] ? blocks(registers[key, "sm_90"], threads[key], shared[key], 228 * 1024) : ""
            if (spilled[key] > 0) { print "kernel-report: " key " spills " spilled[key] " bytes" > "/dev/stderr"; bad = 1 }
            if (!threads[key]) { print "kernel-report: nothing launches " key " (tests/gpu/launches.cpp)" > "/dev/stderr"; bad = 1 }
        }
        if (count == 0) { print "kernel-report: no kernels in what ptxas has said" > "/dev/stderr"; bad = 1 }
        exit bad
    }' "$folder/shapes" "$folder/taken"
