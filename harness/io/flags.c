/* SPDX-License-Identifier: MIT */
#include "io/flags.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>

enum { LONG = UCHAR_MAX + 1 }; /* added to the letters of flags, so that optopt tells a flag from a letter behind one dash */

int flags_next(int argc, char **argv, const struct option *flags, fault *f)
{
    int count = 0;
    while (flags[count].name)
        count++;
    struct option own[count + 1];
    for (int i = 0; i <= count; i++) {
        own[i] = flags[i];
        own[i].val += LONG;
    }
    opterr = 0;
    int flag = getopt_long(argc, argv, ":", own, NULL);
    if (flag == -1 || flag >= LONG)
        return flag == -1 ? -1 : flag - LONG;
    int wrong = 0;
    while (wrong < count && own[wrong].val != optopt)
        wrong++;
    if (wrong < count)
        fault_set(f, "--%s %s; see --help", flags[wrong].name, flag == ':' ? "needs a value" : "takes no value");
    else if (optopt != 0)
        fault_set(f, "-%c is no option; see --help", isgraph(optopt) ? optopt : '?');
    else
        fault_set(f, "%s is no option; see --help", argv[optind - 1]);
    return '?';
}
