"""torch_peer.py: the peer "torch": torch.linalg.matrix_exp and its backward pass, batched. usage: torch_peer.py THREADS
SPDX-License-Identifier: MIT"""
import sys

import torch

import peer

stacks = {}


def load(A, G):
    stacks["A"], stacks["G"] = torch.from_numpy(A), torch.from_numpy(G)


def forward(batch):
    with torch.no_grad():
        return torch.linalg.matrix_exp(stacks["A"][:batch])


def both(batch):
    A = stacks["A"][:batch].detach().requires_grad_(True)
    R = torch.linalg.matrix_exp(A)
    R.backward(stacks["G"][:batch])
    return R.detach(), A.grad


torch.set_num_threads(int(sys.argv[1]))
blas = "MKL" if torch.backends.mkl.is_available() else "no MKL"
simd = torch.backends.cpu.get_cpu_capability() if hasattr(torch.backends, "cpu") else "capability unknown"
peer.serve(f"{torch.__version__}; {blas}; {simd}", load, forward, both)
