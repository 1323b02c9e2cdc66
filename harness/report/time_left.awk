# time_left.awk: the progress line of run_paper.sh.
#   in    one line per training: state cost total examples seconds   (seconds: of training, for these examples)
#   vars  slots = trainings at a time, gone = seconds since the start
# What a training still takes comes from its own speed; of one that has none yet, from its cost and the speed of the others.
# SPDX-License-Identifier: MIT
function clock(s) { return s < 3600 ? sprintf("%d:%02d", s / 60, s % 60) : sprintf("%d:%02d:%02d", s / 3600, s % 3600 / 60, s % 60) }
{
    state[NR] = $1; cost[NR] = $2; total[NR] = $3 > 0 ? $3 : 1; examples[NR] = $4; seconds[NR] = $5
    if ($4 > 0 && $5 > 0) {
        spent += $5
        units += $2 * $4
    }
    all += $2 * total[NR]
    ready += $1 == "finished" || $1 == "failed" ? $2 * total[NR] : $2 * $4
    count[$1]++
}
END {
    # Running trainings hold a slot each; the queue goes to whichever slot is free first.
    for (i = 1; i <= NR; i++)
        if (state[i] == "running")
            load[++used] = examples[i] > 0 ? (total[i] - examples[i]) * seconds[i] / examples[i] : cost[i] * total[i] * (units ? spent / units : 0)
    for (i = used + 1; i <= slots; i++)
        load[i] = 0
    for (i = 1; i <= NR; i++)
        if (state[i] == "queued") {
            free = 1
            for (k = 2; k <= slots; k++)
                if (load[k] < load[free])
                    free = k
            load[free] += cost[i] * total[i] * (units ? spent / units : 0)
        }
    for (k in load)
        if (load[k] > left)
            left = load[k]
    printf "%d of %d trainings done, %d running%s; %.0f %%; %s gone, %s left\n", count["finished"], NR, count["running"],
        count["failed"] ? sprintf(", %d FAILED", count["failed"]) : "", all ? 100 * ready / all : 100, clock(gone),
        units ? clock(left) : "?:??"
}
