/* contract.h: errors of the exponential in shares of what so.h allows them, and the rows that show them.
 * SPDX-License-Identifier: MIT */
#ifndef PROOFS_CONTRACT_H
#define PROOFS_CONTRACT_H

#include <math.h>
#include <stdio.h>

/* The orders that are tried, from the first without a closed form to the last that the contract is stated for. */
enum { ORDERS = 6 };
static const int orders[ORDERS] = {5, 8, 16, 32, 64, 128};

/* Errors, in u, or the bounds of so.h for them. */
typedef struct bounds {
    double forward, orthogonality, vjp;
} bounds;

static inline bounds contract(double rho)
{
    return (bounds){10 + 2 * rho, 16 + 2 * rho, 30 + 3 * rho};
}

/* A share that is not a number is the largest. */
static inline void raise_share(double *most, double share)
{
    if (!(share <= *most) && *most == *most)
        *most = share;
}

/* most: shares of the contract, each raised to that of b where this is larger. */
static inline void keep_worst(bounds *most, bounds b, double rho)
{
    bounds c = contract(rho);
    raise_share(&most->forward, b.forward / c.forward);
    raise_share(&most->orthogonality, b.orthogonality / c.orthogonality);
    raise_share(&most->vjp, b.vjp / c.vjp);
}

static inline void print_heading(int bits)
{
    printf("     f%d: forward, orthogonality, vjp in shares of the contract; without squarings | at rho 1000\n",
           bits == 24 ? 32 : 64);
}

/* gradient: x has shares of the vjp. */
static inline void print_row(int n, const char *what, int gradient, const bounds x[2])
{
    printf("     n %3d  %-20s", n, what);
    for (int k = 0; k < 2; k++) {
        printf("%s %8.2f %8.2f", k ? " |" : "", x[k].forward, x[k].orthogonality);
        if (gradient)
            printf(" %9.2f", x[k].vjp);
        else
            printf(" %9s", "-");
    }
    printf("\n");
}

#endif
