"""scipy_peer.py: the peer "scipy": scipy.linalg.expm, which takes a stack but uses one core: the batch is divided among processes
that share the arrays. usage: scipy_peer.py PROCESSES
SPDX-License-Identifier: MIT"""
import mmap
import multiprocessing
import sys

import numpy
import scipy
import scipy.linalg

import peer

processes = int(sys.argv[1])
stacks = {}


def shared(like):
    return numpy.frombuffer(mmap.mmap(-1, max(like.nbytes, 1)), like.dtype, like.size).reshape(like.shape)


def part(first, last):
    stacks["R"][first:last] = scipy.linalg.expm(stacks["A"][first:last])


def load(A, G):
    """The workers are forked here, so that they see these stacks."""
    if "pool" in stacks:
        stacks["pool"].terminate()
        stacks["pool"].join()
    stacks["A"], stacks["R"] = A, shared(A)
    stacks["pool"] = multiprocessing.get_context("fork").Pool(processes)


def forward(batch):
    cuts = [batch * i // processes for i in range(processes + 1)]
    stacks["pool"].starmap(part, [(f, l) for f, l in zip(cuts, cuts[1:]) if f < l], chunksize=1)
    return stacks["R"][:batch]


peer.serve(f"{scipy.__version__}; NumPy {numpy.__version__}", load, forward)
