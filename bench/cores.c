/* cores.c: see cores.h. SPDX-License-Identifier: MIT */
#include "cores.h"

#include <omp.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

static cpu_set_t allowed; /* before threads were told to keep to one */
static bool known;

static bool look(void)
{
    known = known || sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    return known;
}

int cores_count(void)
{
    return look() ? CPU_COUNT(&allowed) : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The k-th core of `allowed`. */
static size_t core(int k)
{
    size_t c = 0;
    while (!CPU_ISSET(c, &allowed) || k-- > 0)
        c++;
    return c;
}

void cores_share_out(int threads)
{
    if (!look() || threads > CPU_COUNT(&allowed))
        return;
#pragma omp parallel num_threads(threads)
    {
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core(omp_get_thread_num()), &own);
        sched_setaffinity(0, sizeof own, &own); /* if it fails, only time is lost */
    }
}

void cores_give_back(void)
{
    if (known)
        sched_setaffinity(0, sizeof allowed, &allowed);
}
