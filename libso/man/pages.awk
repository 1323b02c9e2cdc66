# pages.awk: the manual (section 3) from the comments of so.h or so_cuda.h, so that the two cannot drift apart.
#
#   awk -v folder=OUT -v version=0.1.0 -v date=2026-11-22 -f pages.awk so.h
#
# The comment at the top of so.h becomes so.3, that of so_cuda.h so_cuda.3. Each section "/* ---- Title ---- ... */" becomes one page, named after its
# first function without the type (so_exp.3), or after the opaque type that it declares (so_ctx.3); every other function of
# the section gets a page that refers to it, with and without the type. What is read:
#   comments      "term  text" (two spaces or more between them) is an item, deeper lines continue it, the rest is prose
#   declarations  SO_API ...; goes to the synopsis; a comment before or after it into the description
#   types         typedef enum or struct NAME { one member with its comment per line } NAME;
# SPDX-License-Identifier: MIT

function escape(s)
{
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    gsub(/\^/, "\\(ha", s)
    gsub(/~/, "\\(ti", s)
    gsub(/`/, "\\(ga", s)
    gsub(/'/, "\\(aq", s)
    gsub(/  +/, " ", s)
    sub(/^\./, "\\\\\\&.", s)
    return s
}

# One line of a comment into `text`. item_column: where the text of the running item begins, 0 outside of items.
function prose(line,    indent, term, rest)
{
    if (line ~ /^ *$/) {
        fresh = 1
        return
    }
    match(line, /^ */)
    indent = RLENGTH
    line = substr(line, indent + 1)
    if (item_column && indent >= item_column) {
        text = text escape(line) "\n"
        return
    }
    if (match(line, /  +/) && substr(line, RSTART - 1, 1) != ".") {
        term = substr(line, 1, RSTART - 1)
        rest = substr(line, RSTART + RLENGTH)
        item_column = indent + RSTART + RLENGTH - 1
        text = text ".TP\n" escape(term) "\n" escape(rest) "\n"
        return
    }
    if (text != "" && (fresh || item_column || indent || line ~ /^Returns / || line ~ /^Accuracy\. /))
        text = text ".PP\n"
    fresh = item_column = 0
    text = text escape(line) "\n"
}

# The text between the comment signs of a line; `closed` tells whether the comment ends in it.
function comment_text(line)
{
    closed = sub(/ *\*\/.*/, "", line)
    sub(/^\/\* ?| \* ?/, "", line)
    return line
}

# A declaration, broken at commas where it is too long for a terminal.
function wrapped(line,    out, at)
{
    while (length(line) > 72) {
        for (at = 72; at > 20 && substr(line, at - 1, 2) != ", "; at--)
            ;
        out = out substr(line, 1, at - 1) "\n"
        line = "    " substr(line, at + 1)
    }
    return out line
}

function code(s)
{
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    return s
}

function heading(file, name)
{
    printf ".\\\" Made from %s.h by pages.awk.\n", library > file
    printf ".TH %s 3 %s \"libso %s\" \"Library Functions Manual\"\n", toupper(name), date, version > file
}

# A page that refers to the page of this section.
function refer(name)
{
    print ".so man3/" page ".3" > (folder "/" name ".3")
    close(folder "/" name ".3")
}

# The page of the section read so far.
function finish(    file, i, base, seen, list)
{
    if (count) {
        if (page == "") {
            page = names[1]
            sub(/_f(32|64)$/, "", page)
        }
        list = page
        seen[page] = 1
        for (i = 1; i <= count; i++) {
            base = names[i]
            if (sub(/_f(32|64)$/, "", base))
                refer(names[i])
            if (!(base in seen)) {
                refer(base)
                list = list ", " base
            }
            seen[base] = 1
        }
        pages[++page_count] = page
        titles[page_count] = title
        file = folder "/" page ".3"
        heading(file, page)
        printf ".SH NAME\n%s \\- %s\n", list, escape(tolower(substr(title, 1, 1)) substr(title, 2)) > file
        printf ".SH SYNOPSIS\n.nf\n#include <%s.h>\n\n%s.fi\n", library, code(synopsis) > file
        printf ".SH DESCRIPTION\n%s", text > file
        if (members != "")
            printf ".SH TYPES\n%s", members > file
        printf ".SH SEE ALSO\n.BR %s (3)\n", library > file
        close(file)
    }
    title = page = synopsis = text = members = ""
    count = item_column = fresh = 0
}

FNR == 1 { # the overview
    top = 1
    match($0, /so[a-z_]*\.h: /)
    library = substr($0, RSTART, RLENGTH - 4)
    summary = substr($0, RSTART + RLENGTH)
    sub(/\.$/, "", summary)
    next
}
top {
    line = comment_text($0)
    if (line !~ /SPDX/)
        prose(line)
    if (closed) {
        overview = text
        text = ""
        item_column = fresh = top = 0
    }
    next
}
/^\/\* ---- / {
    finish()
    title = $0
    sub(/^\/\* -+ /, "", title)
    sub(/ -+( \*\/)?$/, "", title)
    in_section = $0 !~ /\*\/$/
    next
}
in_section {
    prose(comment_text($0))
    in_section = !closed
    next
}
title == "" { next }
/^typedef struct [a-z_]+ [a-z_]+;$/ {
    page = $3
    synopsis = synopsis $0 "\n"
    next
}
/^typedef (enum|struct) .*\{$/ {
    in_type = 1
    members = members (members == "" ? "" : ".PP\n") $2 " " $3 ":\n"
    synopsis = synopsis $1 " " $2 " " $3 " " $3 ";\n"
    next
}
in_type && /^}/ {
    in_type = member_open = 0
    next
}
in_type {
    line = $0
    gsub(/^ +/, "", line)
    if (!member_open) {
        member = line
        sub(/ *\/\*.*/, "", member)
        sub(/[,;]$/, "", member)
        members = members ".TP\n" escape(member) "\n"
        if (line !~ /\/\*/)
            next
        sub(/.*\/\* /, "", line)
    }
    member_open = !sub(/ *\*\/$/, "", line)
    members = members escape(line) "\n"
    next
}
/^\/\* / || in_comment { # about the declaration that follows
    pending = pending comment_text($0) "\n"
    in_comment = !closed
    next
}
/^SO_API / || in_declaration {
    line = $0
    sub(/^SO_API /, "", line)
    gsub(/^ +/, "", line)
    if (match(line, /; *\/\* /)) { # behind it
        pending = substr(line, RSTART + RLENGTH)
        sub(/ *\*\/.*/, "", pending)
        line = substr(line, 1, RSTART)
    }
    declaration = declaration (in_declaration ? " " : "") line
    in_declaration = declaration !~ /;$/
    if (in_declaration)
        next
    synopsis = synopsis wrapped(declaration) "\n"
    match(declaration, /so_[a-z0-9_]+\(/)
    names[++count] = substr(declaration, RSTART, RLENGTH - 1)
    if (pending != "") {
        lines = split(pending, part, "\n")
        text = text ".TP\n" names[count] "\n"
        for (i = 1; i <= lines; i++)
            if (part[i] !~ /^ *$/)
                text = text escape(part[i]) "\n"
        item_column = 1000
        pending = ""
    }
    declaration = ""
}
END {
    finish()
    file = folder "/" library ".3"
    heading(file, library)
    printf ".SH NAME\n%s \\- %s\n", library, escape(summary) > file
    printf ".SH SYNOPSIS\n.nf\n#include <%s.h>\n\n", library > file
    printf "cc ... $(pkg\\-config \\-\\-cflags \\-\\-libs %s)\n.fi\n", library > file
    printf ".SH DESCRIPTION\n%s.SH FUNCTIONS\n", overview > file
    for (i = 1; i <= page_count; i++)
        printf ".TP\n.BR %s (3)\n%s\n", pages[i], escape(titles[i]) > file
}
