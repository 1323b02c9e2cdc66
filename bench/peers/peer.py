"""peer.py: the protocol of peer.h for peers in Python. SPDX-License-Identifier: MIT"""
import sys
import time

import numpy


def skew_projection(gradient):
    return (gradient - gradient.transpose(0, 2, 1)) / 2


def serve(version, load, forward, both=None):
    """Obeys until the input ends.

    load(A, G)      keeps a pair of stacks (NumPy arrays)
    forward(batch)  computes exp of the first `batch` matrices and returns it
    both(batch)     the same and the full gradient; None: the peer has no gradient
    What they return is made a NumPy array outside the timings.
    """
    print("peer", version.replace("\n", " "), flush=True)
    for line in sys.stdin:
        order, *words = line.split()
        if order == "load":
            load(*map(numpy.load, words))
            answer = "ok"
        elif order == "time":
            run, batch, calls = {"forward": forward, "both": both}[words[0]], int(words[1]), int(words[2])
            start = time.perf_counter()
            for _ in range(calls if run else 0):
                run(batch)
            answer = repr(time.perf_counter() - start) if run else "none"
        elif order == "save" and len(words) == 2:
            numpy.save(words[1], numpy.ascontiguousarray(forward(int(words[0]))))
            answer = "ok"
        elif order == "save":
            results, gradients = both(int(words[0]))
            numpy.save(words[1], numpy.ascontiguousarray(results))
            numpy.save(words[2], skew_projection(numpy.ascontiguousarray(gradients)))
            answer = "ok"
        else:
            sys.exit("peer: " + line)
        print(answer, flush=True)
