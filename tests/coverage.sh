#!/bin/sh
# Statement coverage of libso/ from the counts that a run of a build with --coverage left behind: a line per file, then every
# line that no variant (real type, instruction set, layout) has executed. Fails below the share wanted.
# Usage: tests/coverage.sh BUILD PERCENT
set -eu
build=$1 wanted=$2
find "$build" -name '*.gcda' -path '*/libso/*' | sort | while read -r counts; do
    gcov -t "$counts" 2> /dev/null
done | awk -F: -v wanted="$wanted" '
    { count = $1; line = $2 + 0; gsub(/[ *]/, "", count) }
    $2 ~ /^ *0$/ { if ($3 == "Source") file = $4; next }
    file !~ /^libso\// || count == "-" { next }
    !((file, line) in hit) { hit[file, line] = 0; lines[file]++; if (line > last[file]) last[file] = line }
    count !~ /^[#=]/ && !hit[file, line] { hit[file, line] = 1; hits[file]++ }
    { text[file, line] = substr($0, index($0, $3)) }
    END {
        by_file = "sort -k3"
        by_place = "sort -t: -k1,1 -k2,2n"
        for (file in lines) {
            printf "%6.2f %%  %s (%d of %d)\n", 100 * hits[file] / lines[file], file, hits[file], lines[file] | by_file
            all += lines[file]
            covered += hits[file]
        }
        close(by_file)
        if (!all) { print "coverage: no counts found"; exit 1 }
        for (file in lines)
            for (line = 1; line <= last[file]; line++)
                if ((file, line) in hit && !hit[file, line])
                    printf "%s:%d: not executed: %s\n", file, line, text[file, line] | by_place
        close(by_place)
        printf "coverage: %.2f %% of the statements of libso/ (%d of %d), ", 100 * covered / all, covered, all
        printf "wanted %s %%\n", wanted
        exit (100 * covered < wanted * all)
    }'
