/* left_out.c: see left_out.h.
 * SPDX-License-Identifier: MIT */
#include "left_out.h"
#include "oracle_campaign.h"
#include <stdio.h>

int left_out(so_method m, const char *what)
{
    if (campaign_wants(m))
        return 0;
    printf("%s: left out, as SO_TEST_METHOD leaves out %s\n", what, call_method(m));
    return 1;
}

void left_out_say(void)
{
    int count = 0;
    for (int m = 0; m < METHODS; m++)
        if (!campaign_wants((so_method)m))
            printf("%s%s", count++ ? ", " : "check: SO_TEST_METHOD leaves out, in every suite: ", call_method((so_method)m));
    printf("%s", count ? "\n" : "");
    fflush(stdout);
}
