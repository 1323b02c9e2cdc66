# With -v list=FOLDER: reads the table of mutations into files FOLDER/N.file .suites .old .new, having checked that each old text
# occurs exactly once in its file; with -v part=TEXT only those whose file name contains it.
# With -v old=FILE -v new=FILE: prints the source with the text in the first replaced by that in the second.
function text_of(path,    line, all, lines) {
    while ((getline line < path) > 0)
        all = all (lines++ ? "\n" : "") line
    close(path)
    return all
}
function occurrences(text, piece,    count, at) {
    while ((at = index(text, piece)) > 0) {
        count++
        text = substr(text, at + length(piece))
    }
    return count + 0
}
function complain(text) {
    printf "tests/mutants.txt:%d: %s\n", FNR, text > "/dev/stderr"
    bad = 1
}
function put(name, text) {
    print text > (list "/" number "." name)
    close(list "/" number "." name)
}
function finish(    found) {
    if (!after_lines)
        return
    found = occurrences(source, before)
    if (found != 1)
        complain("above: occurs " found " times in " file ", not once: " before)
    if (wanted) {
        number++
        put("file", file)
        put("suites", suites)
        put("old", before)
        put("new", after)
    }
    before_lines = after_lines = 0
}

old { source = source $0 "\n"; next }

/^- / {
    finish()
    before = (before_lines++ ? before "\n" : "") substr($0, 3)
    next
}
/^\+ / {
    after = (after_lines++ ? after "\n" : "") substr($0, 3)
    next
}
/^file [^ ]+ ./ {
    finish()
    file = $2
    suites = $0
    sub(/^file [^ ]+ /, "", suites)
    source = text_of(file)
    if (source == "")
        complain("no such file: " file)
    wanted = index(file, part) > 0
    next
}
/^#/ || /^$/ { finish(); next }
{ complain("not understood: " $0) }

END {
    if (old) {
        piece = text_of(old)
        at = index(source, piece)
        printf "%s%s%s", substr(source, 1, at - 1), text_of(new), substr(source, at + length(piece))
        exit !at
    }
    finish()
    exit bad
}
