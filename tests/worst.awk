# worst.awk: the table of a deep run (oracle_campaign.h, SO_TEST_TABLE), one row for each quantity, order, type and method: how many
# matrices, the largest error over its bound and where. Fails if a bound is not held.
#   awk -F, -f tests/worst.awk table.csv
# SPDX-License-Identifier: MIT
FNR == 1 { next }
{
    key = $1 "," $2 "," $3 "," $4
    if (!(key in matrices))
        order[++count] = key
    spectra[key] += $6
    matrices[key] += $7
    if (!(key in worst) || !($8 <= worst[key])) {
        worst[key] = $8
        where[key] = $9 "," $10 "," $11 "," $12 "," $13 "," $14
    }
}
END {
    print "quantity,n,type,method,spectra,matrices,worst_error_over_bound,rho,shape,number,copy,seed,instruction_set"
    for (k = 1; k <= count; k++) {
        key = order[k]
        print key "," spectra[key] "," matrices[key] "," worst[key] "," where[key]
        bad += !(worst[key] <= 1)
    }
    exit bad > 0
}
