"""torch_gpu.py: libso and torch.linalg.matrix_exp in turns, on the same tensors of one CUDA device, timed by the same events.

usage: torch_gpu.py LIBSO LIBSO_CUDA [--csv FILE] [--n 2,3,..] [--batch B,..] [--seconds S] [--driver TEXT] [--commit TEXT] [--cpu]

LIBSO, LIBSO_CUDA: the shared libraries; --driver, --commit: the driver's version and these libraries' commit, for the rows.
forward: the exponential; both: the exponential and its gradient for a given gradient of the loss. What libso writes exists already,
PyTorch allocates: that is how each is used. Both go round copies of the matrices that together are twice the second-level cache or
more. Memory: the largest amount beyond inputs and what is returned, over the size of R. Errors against the exponential in float64 of
PyTorch, Frobenius norm / sqrt(n), in units of u.
--cpu tries the program where libso_cuda runs on the CPU: two matrices, no figures worth reading.
SPDX-License-Identifier: MIT"""
import argparse
import csv
import ctypes
import datetime
import itertools
import math
import statistics
import sys
import time

import torch

TARGETS = {2: 50, 3: 50, 4: 50, 8: 25, 16: 25, 32: 15, 64: 10, 128: 5}
INPUTS = ("wigner", "pencil")
SO_AUTO = 0


class Libso:
    def __init__(self, host_library, cuda_library, stream):
        self.library = ctypes.CDLL(host_library)
        self.cuda = ctypes.CDLL(cuda_library) if cuda_library != host_library else self.library
        self.stream = stream
        self.context = ctypes.c_void_p()
        self.library.so_workspace_bytes.restype = ctypes.c_size_t
        self.library.so_status_string.restype = ctypes.c_char_p
        self.fresh()

    def fresh(self):
        """A context without workspace, so that what it holds later is of one case alone."""
        self.library.so_ctx_destroy(self.context)
        self.check(self.cuda.so_ctx_create_cuda(ctypes.byref(self.context), 0, ctypes.c_void_p(self.stream)))

    def check(self, status):
        if status:
            raise RuntimeError("libso: " + self.library.so_status_string(status).decode())

    def call(self, name, *tensors):
        n, batch = tensors[0].shape[-1], tensors[0].shape[0]
        function = getattr(self.library, name + {torch.float32: "_f32", torch.float64: "_f64"}[tensors[0].dtype])
        self.check(function(self.context, SO_AUTO, n, ctypes.c_int64(batch), *(ctypes.c_void_p(t.data_ptr()) for t in tensors)))

    def exp(self, A, R):
        self.call("so_exp", A, R)

    def exp_vjp(self, A, R, G, D):
        self.call("so_exp_vjp", A, R, G, D)

    def met(self):
        self.check(self.library.so_ctx_status(self.context))

    def workspace(self):
        return self.library.so_workspace_bytes(self.context)


def draw(kind, n, batch, dtype, device):
    generator = torch.Generator().manual_seed(n)
    if kind == "wigner":
        A = torch.randn(batch, n, n, generator=generator, dtype=torch.float64) / math.sqrt(n)
    else:
        P, Q = 2 * math.pi * torch.rand(2, n, n, generator=generator, dtype=torch.float64)
        y, x = torch.rand(2, batch, 1, 1, generator=generator, dtype=torch.float64)
        A = y * P + x * Q
    A = A.triu(1)
    G = torch.randn(batch, n, n, generator=generator, dtype=torch.float64)
    return (A - A.mT).to(dtype).to(device), G.to(dtype).to(device)


class Clock:
    """Milliseconds of one call on the device's clock."""

    def __init__(self, cuda):
        self.events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if cuda else None

    def __call__(self, work, calls):
        if not self.events:
            start = time.perf_counter()
            for _ in range(calls):
                work()
            return 1e3 * (time.perf_counter() - start) / calls
        self.events[0].record()
        for _ in range(calls):
            work()
        self.events[1].record()
        self.events[1].synchronize()
        return self.events[0].elapsed_time(self.events[1]) / calls


def in_turns(clock, works, seconds):
    """Medians of timings of at least 1 ms, taken alternately."""
    calls = []
    for work in works:
        clock(work, 3)
        calls.append(max(1, math.ceil(1 / max(clock(work, 1), 1e-3))))
    times, start = [[] for _ in works], time.perf_counter()
    while len(times[0]) < 5 or (time.perf_counter() - start < seconds and len(times[0]) < 50):
        for k, work in enumerate(works):
            times[k].append(clock(work, calls[k]))
    return [statistics.median(t) for t in times]


def peak_memory(work, cuda):
    """Bytes that PyTorch holds at most during the work, beyond those before."""
    if not cuda:
        return math.nan
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    kept = work()
    torch.cuda.synchronize()
    peak = torch.cuda.max_memory_allocated() - before
    del kept
    return peak


def error(X, exact, u):
    n = X.shape[-1]
    return ((X[: len(exact)].double() - exact).flatten(1).norm(dim=1) / math.sqrt(n)).max().item() / u


def contest(so, clock, cuda, n, batch, kind, dtype, seconds):
    A, G = draw(kind, n, batch, dtype, "cuda" if cuda else "cpu")
    u = {torch.float32: 2.0**-24, torch.float64: 2.0**-53}[dtype]
    result = A.numel() * A.element_size()
    cache = torch.cuda.get_device_properties(0).L2_cache_size if cuda else 0
    copies = [(A, G, torch.empty_like(A), torch.empty_like(A))]  # A, G, R, D
    while len(copies) < 3 or (len(copies) - 1) * 2 * result < 2 * cache:
        copies.append((A.clone(), G.clone(), torch.empty_like(A), torch.empty_like(A)))
    leaves = [copy[0].detach().clone().requires_grad_(True) for copy in copies]
    turn = {"libso": itertools.cycle(copies), "torch": itertools.cycle(zip(leaves, copies))}

    def torch_forward():
        leaf, _ = next(turn["torch"])
        with torch.no_grad():
            return torch.linalg.matrix_exp(leaf)

    def torch_both():
        leaf, copy = next(turn["torch"])
        leaf.grad = None
        torch.linalg.matrix_exp(leaf).backward(copy[1])

    def so_forward():
        matrices, _, rotations, _ = next(turn["libso"])
        so.exp(matrices, rotations)

    def so_both():
        matrices, upstream, rotations, gradients = next(turn["libso"])
        so.exp(matrices, rotations)
        so.exp_vjp(matrices, rotations, upstream, gradients)

    so.fresh()
    some = A[:8].double().requires_grad_(True)
    exact = torch.linalg.matrix_exp(some)
    (exact_gradient,) = torch.autograd.grad(exact, some, G[:8].double())
    for work, ours, theirs in (("forward", so_forward, torch_forward), ("both", so_both, torch_both)):
        mine, other = in_turns(clock, (ours, theirs), seconds)
        for leaf in leaves:
            leaf.grad = None
        extra = peak_memory(theirs, cuda)
        turn["libso"], turn["torch"] = itertools.cycle(copies), itertools.cycle(zip(leaves, copies))
        ours()  # once more on the first of them, for the errors
        result_of_torch = theirs()
        so.met()
        _, _, R, D = copies[0]
        skew = [(x - x.mT) / 2 for x in (exact_gradient, leaves[0].grad)] if work == "both" else None
        yield {
            "n": n, "batch": batch, "input": kind, "dtype": str(dtype).replace("torch.", ""), "work": work,
            "libso_ms": mine, "torch_ms": other, "ratio": other / mine,
            "target": TARGETS.get(n, "") if work == "both" and dtype == torch.float32 else "",
            "libso_memory_over_r": so.workspace() / result,
            "torch_memory_over_r": (extra - result) / result,  # forward: beyond the result; both: beyond the gradient
            "libso_error_u": error(D, skew[0], u) if work == "both" else error(R, exact.detach(), u),
            "torch_error_u": error(skew[1], skew[0], u) if work == "both" else error(result_of_torch, exact.detach(), u),
        }


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("libso")
    parser.add_argument("libso_cuda")
    parser.add_argument("--csv")
    parser.add_argument("--n", default=",".join(map(str, TARGETS)))
    parser.add_argument("--batch", default="9216,0")
    parser.add_argument("--dtypes", default="float32,float64")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--driver", default="unknown")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    cuda = not options.cpu
    if cuda and not torch.cuda.is_available():
        sys.exit("torch_gpu.py: PyTorch sees no CUDA device")
    device = torch.cuda.get_device_name() if cuda else "cpu"
    stream = torch.cuda.current_stream().cuda_stream if cuda else 0
    so, clock = Libso(options.libso, options.libso_cuda, stream), Clock(cuda)
    common = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "device": device,
              "driver": options.driver, "torch": torch.__version__, "commit": options.commit, "command": " ".join(sys.argv)}
    writer, failed = None, 0
    with open(options.csv or "/dev/null", "a", newline="") as file:
        for name in options.dtypes.split(","):
            for n in map(int, options.n.split(",")):
                for wanted in map(int, options.batch.split(",")):
                    batch = wanted or min(1 << 21, (1 << 25) // (n * n))  # 128 MiB in float32
                    if wanted == 0 and batch <= 9216:
                        continue
                    for kind in INPUTS:
                        try:
                            rows = list(contest(so, clock, cuda, n, 2 if options.cpu else batch, kind, getattr(torch, name),
                                                0 if options.cpu else options.seconds))
                        except (RuntimeError, torch.cuda.OutOfMemoryError) as failure:
                            print(f"n {n} batch {batch} {kind} {name}: {str(failure).splitlines()[0]}", flush=True)
                            failed += 1
                            continue
                        for row in rows:
                            if writer is None:
                                writer = csv.DictWriter(file, [*common, *row])
                                writer.writeheader()
                            writer.writerow({**common, **row})
                            file.flush()
                            missed = row["target"] != "" and not row["ratio"] >= row["target"]
                            print(f"n {n:3} batch {row['batch']:8} {kind:7} {name} {row['work']:8} libso {row['libso_ms']:9.4f} ms  torch "
                                  f"{row['torch_ms']:9.4f} ms  ratio {row['ratio']:7.1f}  target {row['target']}"
                                  f"{'  BELOW' if missed and cuda else ''}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
