#!/usr/bin/python3
"""Golden data for tests/check_vit_golden.c: a small vision transformer in PyTorch, float64, written from the description in
harness/model/vit.h and the LieRE paper (arXiv 2406.10322), with torch.matrix_exp or plain cosines for the rotations.

Each file holds: parameters, images, labels, logits, loss, all gradients, parameters after ten steps of Adam and of AdamW, and
logits on images of another size. The metadata holds the configuration and, per group of results, the error of the same model run
by PyTorch in float32 (largest difference of a tensor / its largest entry): the yardstick for an f32 implementation.

    python3 tests/golden/make_vit_goldens.py        # needs PyTorch >= 1.13; writes vit_*.safetensors beside itself
"""
# SPDX-License-Identifier: MIT
import json
import math
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

TWO_PI = 2 * math.pi
BASE = dict(dims=2, size=(6, 6), patch=(2, 3), other=(8, 9), channels=2, classes=5, dim=10, depth=2, heads=2, head_dim=8, mlp=13,
            pool="cls", encoding="absolute", tile=2, per_layer=1, per_head=1, layer0=0, dropout=0.0, seed=1)
VIDEO = dict(dims=3, size=(4, 4, 6), patch=(2, 2, 2), other=(6, 6, 4))
SERIES = dict(dims=1, size=(12,), patch=(3,), other=(18,))
CASES = {
    "absolute": dict(),
    "none_mean": dict(encoding="none", pool="mean"),
    "visionllama": dict(encoding="visionllama"),
    "rope_mixed": dict(encoding="rope_mixed"),
    "liere4": dict(encoding="liere", tile=4),
    "liere8": dict(encoding="liere", tile=8, head_dim=16),
    "liere_dense": dict(encoding="liere", tile=8),
    "liere_dense_mean": dict(encoding="liere", tile=8, pool="mean"),
    "liere4_shared_heads": dict(encoding="liere", tile=4, per_head=0),
    "liere4_shared_layers": dict(encoding="liere", tile=4, per_layer=0),
    "liere4_shared_all": dict(encoding="liere", tile=4, per_layer=0, per_head=0),
    "liere4_layer0": dict(encoding="liere", tile=4, layer0=1),
    "liere4_dropout": dict(encoding="liere", tile=4, dropout=0.25),
    "absolute_3d": dict(VIDEO),
    "visionllama_3d": dict(VIDEO, encoding="visionllama"),
    "rope_mixed_3d": dict(VIDEO, encoding="rope_mixed"),
    "liere_dense_3d": dict(VIDEO, encoding="liere", tile=8),
    "absolute_1d": dict(SERIES),
    "liere4_1d": dict(SERIES, encoding="liere", tile=4),
}
BATCH = 3
EPOCH = 7
SAMPLES = [11, 5, 2**33 + 1]
STEPS = 10
LR = 1e-2
# Adam divides by sqrt(v) + eps: where a gradient is as small as its rounding error, the default 1e-8 would turn noise into steps
# of full length, in any implementation. With 1e-3 the result depends continuously on the gradients.
EPS = 1e-3


def grid_of(c, size):
    return [s // p for s, p in zip(size, c["patch"])]


def initial(c, rng):
    """Parameters by name, float32 values."""
    C, inner, M = c["dim"], c["heads"] * c["head_dim"], c["mlp"]
    p = {}

    def linear(name, out, fan_in):
        p[name + ".weight"] = rng.uniform(-1, 1, (out, fan_in)) / math.sqrt(fan_in)
        p[name + ".bias"] = rng.uniform(-1, 1, out) / math.sqrt(fan_in)

    def norm(name):
        p[name + ".weight"] = 1 + 0.2 * rng.standard_normal(C)
        p[name + ".bias"] = 0.2 * rng.standard_normal(C)

    linear("patch_embedding", C, math.prod(c["patch"]) * c["channels"])
    p["cls_token"] = rng.standard_normal(C)
    for i in range(c["depth"]):
        norm(f"layers.{i}.attention.norm")
        p[f"layers.{i}.attention.qkv.weight"] = rng.uniform(-1, 1, (3 * inner, C)) / math.sqrt(C)
        linear(f"layers.{i}.attention.out", C, inner)
        norm(f"layers.{i}.mlp.norm")
        linear(f"layers.{i}.mlp.fc1", M, C)
        linear(f"layers.{i}.mlp.fc2", C, M)
    norm("head.norm")
    linear("head.linear", c["classes"], C)
    if c["encoding"] == "absolute":
        p["pos_embedding.weight"] = rng.standard_normal((math.prod(grid_of(c, c["size"])) + 1, C))
    if c["encoding"] in ("rope_mixed", "liere"):
        b = c["tile"]
        shape = (c["depth"] if c["per_layer"] else 1, c["heads"] if c["per_head"] else 1, c["head_dim"] // b, c["dims"],
                 b * (b - 1) // 2)
        p["generators.weight"] = TWO_PI * rng.uniform(0, 1, shape)
    return {k: np.asarray(v, np.float32) for k, v in p.items()}


def positions(c, grid, dtype):
    trained = grid_of(c, c["size"])
    axes = [torch.linspace(0, g / g0, g, dtype=dtype) for g, g0 in zip(grid, trained)]
    return torch.cartesian_prod(*axes).reshape(-1, c["dims"])


def rotations(c, p, grid, dtype):
    """(layers, heads, tokens, head_dim, head_dim), identity for CLS; None without rotation."""
    if c["encoding"] in ("absolute", "none"):
        return None
    pos = torch.cat([torch.zeros(1, c["dims"], dtype=dtype), positions(c, grid, dtype)])
    L, H, D = c["depth"], c["heads"], c["head_dim"]
    R = torch.eye(D, dtype=dtype).repeat(L, H, len(pos), 1, 1)
    if c["encoding"] == "visionllama":
        m = D // c["dims"] // 2
        f = torch.tensor([math.exp(-4 * j / (m - 1)) if m > 1 else 1.0 for j in range(m)], dtype=dtype)
        for axis in range(c["dims"]):
            for j in range(m):
                i = 2 * (axis * m + j)
                a = pos[:, axis] * f[j]
                R[..., i, i], R[..., i, i + 1] = a.cos(), -a.sin()
                R[..., i + 1, i], R[..., i + 1, i + 1] = a.sin(), a.cos()
        return R
    P = p["generators.weight"]
    if c["layer0"]:
        P = P[:1]
    P = P.expand(L, H, -1, -1, -1)
    if c["encoding"] == "rope_mixed":
        angle = torch.einsum("td,lhjd->lhtj", pos, P[..., 0])
        rows = []
        for j in range(D // 2):
            a = angle[..., j]
            zero = torch.zeros_like(a)
            left, right = [zero] * (2 * j), [zero] * (D - 2 * j - 2)
            rows.append(torch.stack(left + [a.cos(), a.sin()] + right, -1))
            rows.append(torch.stack(left + [-a.sin(), a.cos()] + right, -1))
        return torch.stack(rows, -2)
    b = c["tile"]
    upper = torch.zeros(P.shape[:-1] + (b * b,), dtype=dtype)
    i, j = torch.triu_indices(b, b, 1)
    upper = upper.index_copy(-1, b * i + j, P).reshape(P.shape[:-1] + (b, b))
    A = upper - upper.transpose(-1, -2)
    tiles = torch.matrix_exp(torch.einsum("td,lhkdij->lhtkij", pos, A).contiguous())
    return torch.stack([torch.stack([torch.block_diag(*tiles[l, h, t]) for t in range(len(pos))]) for l in range(L)
                        for h in range(H)]).reshape(L, H, len(pos), D, D)


def philox(counter, key):
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


class Dropout:
    """Masks as harness/ops/ops.h defines them; places are numbered in the order of the forward pass, each takes its number of
    values / 4, rounded up, blocks of random numbers."""

    def __init__(self, c):
        self.p, self.seed, self.block = c["dropout"], c["seed"], 0

    def __call__(self, x):
        if self.p == 0:
            return x
        n = x[0].numel()
        blocks = (n + 3) // 4
        keep = np.zeros((len(x), n))
        for s, sample in enumerate(SAMPLES):
            words = []
            for i in range(blocks):
                words += philox((self.block + i, sample & 0xFFFFFFFF, sample >> 32, EPOCH),
                                (self.seed & 0xFFFFFFFF, (self.seed >> 32) ^ (4 << 24)))
            keep[s] = np.array(words[:n]) >= self.p * 2**32
        self.block += blocks
        return x * torch.tensor(keep, dtype=x.dtype).reshape(x.shape) / (1 - self.p)


def table_for(c, table, grid):
    trained = grid_of(c, c["size"])
    if grid == trained:
        return table
    mode = ("linear", "bicubic", "trilinear")[c["dims"] - 1]
    image = table[1:].reshape(*trained, -1).movedim(-1, 0)[None]
    image = F.interpolate(image, size=grid, mode=mode, align_corners=False)
    return torch.cat([table[:1], image[0].movedim(0, -1).reshape(-1, table.shape[1])])


def patches_of(c, images):
    """(B, channels, size..) -> (B, patches, pixels of a patch, channels fastest)"""
    n, grid = c["dims"], grid_of(c, images.shape[2:])
    x = images.reshape(len(images), c["channels"], *[v for pair in zip(grid, c["patch"]) for v in pair])
    order = [0] + [2 + 2 * d for d in range(n)] + [3 + 2 * d for d in range(n)] + [1]
    return x.permute(order).reshape(len(images), math.prod(grid), -1)


def forward(c, p, images, training):
    drop = Dropout(c if training else dict(c, dropout=0.0))
    dtype, grid = images.dtype, grid_of(c, images.shape[2:])
    C, H, D = c["dim"], c["heads"], c["head_dim"]
    R = rotations(c, p, grid, dtype)

    def linear(name, x):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def norm(name, x):
        return F.layer_norm(x, (C,), p[name + ".weight"], p[name + ".bias"], 1e-5)

    x = linear("patch_embedding", patches_of(c, images))
    x = torch.cat([p["cls_token"].expand(len(x), 1, C), x], 1)
    if c["encoding"] == "absolute":
        x = x + table_for(c, p["pos_embedding.weight"], grid)
    x = drop(x)
    for i in range(c["depth"]):
        a = f"layers.{i}.attention"
        qkv = F.linear(norm(a + ".norm", x), p[a + ".qkv.weight"])
        q, k, v = qkv.reshape(len(x), -1, 3, H, D).permute(2, 0, 3, 1, 4)
        if R is not None:
            q, k = (torch.einsum("htij,bhtj->bhti", R[i], z) for z in (q, k))
        y = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(D), -1) @ v
        x = x + drop(linear(a + ".out", y.transpose(1, 2).reshape(len(x), -1, H * D)))
        m = f"layers.{i}.mlp"
        y = drop(F.gelu(linear(m + ".fc1", norm(m + ".norm", x))))
        x = x + drop(linear(m + ".fc2", y))
    x = x[:, 0] if c["pool"] == "cls" else x.mean(1)
    return linear("head.linear", norm("head.norm", x))


def run(c, values, images, labels, other, dtype):
    """Every result of one case, by group, as float64 arrays."""
    def fresh():
        return {k: torch.tensor(v, dtype=dtype, requires_grad=True) for k, v in values.items()}

    images, other = torch.tensor(images, dtype=dtype), torch.tensor(other, dtype=dtype)
    labels = torch.tensor(labels, dtype=torch.int64)
    p = fresh()
    logits = forward(c, p, images, True)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    zero = {k: torch.zeros_like(v) for k, v in p.items()}
    result = {"logits": {"logits": logits}, "loss": {"loss": loss},
              "gradient": {k: v.grad if v.grad is not None else zero[k] for k, v in p.items()},
              "other": {"other": forward(c, p, other, False)}}
    for name, optimiser in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        p = fresh()
        o = optimiser(p.values(), lr=LR, betas=(0.9, 0.999), eps=EPS, weight_decay=0.02)
        for _ in range(STEPS):
            o.zero_grad()
            F.cross_entropy(forward(c, p, images, True), labels).backward()
            o.step()
        result[name] = p
    return {g: {k: v.detach().double().numpy() for k, v in r.items()} for g, r in result.items()}


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, a in tensors.items():
        header[name] = {"dtype": {"float32": "F32", "int32": "I32"}[a.dtype.name], "shape": list(a.shape),
                        "data_offsets": [len(data), len(data) + a.nbytes]}
        data += a.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def describe(c):
    pad = lambda v: ",".join(str(x) for x in tuple(v) + (1,) * (3 - len(v)))
    encodings = ["absolute", "visionllama", "rope_mixed", "liere", "none"]
    return (f"dims={c['dims']} size={pad(c['size'])} patch={pad(c['patch'])} other={pad(c['other'])} channels={c['channels']} "
            f"classes={c['classes']} dim={c['dim']} depth={c['depth']} heads={c['heads']} head_dim={c['head_dim']} "
            f"mlp={c['mlp']} mean={int(c['pool'] == 'mean')} encoding={encodings.index(c['encoding'])} tile={c['tile']} "
            f"per_layer={c['per_layer']} per_head={c['per_head']} layer0={c['layer0']} dropout={c['dropout']} seed={c['seed']} "
            f"batch={BATCH} epoch={EPOCH} steps={STEPS} lr={LR} eps={EPS} weight_decay=0.02")


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    for number, (name, changes) in enumerate(CASES.items()):
        c = dict(BASE, **changes)
        rng = np.random.default_rng(number)
        values = initial(c, rng)
        images = rng.standard_normal((BATCH, c["channels"], *c["size"])).astype(np.float32)
        other = rng.standard_normal((BATCH, c["channels"], *c["other"])).astype(np.float32)
        labels = rng.integers(0, c["classes"], BATCH).astype(np.int32)
        exact = run(c, values, images, labels, other, torch.float64)
        single = run(c, values, images, labels, other, torch.float32)
        metadata = {"config": describe(c), "samples": " ".join(map(str, SAMPLES))}
        for group, tensors in exact.items():
            error = max(np.abs(single[group][k] - v).max() / max(np.abs(v).max(), 1e-30) for k, v in tensors.items())
            metadata[group + ".f32_error"] = f"{error:.3e}"
        tensors = {"images": images, "other_images": other, "labels": labels}
        tensors.update({"parameter." + k: v for k, v in values.items()})
        for group, r in exact.items():
            for k, v in r.items():
                tensors[k if group == k else f"{group}.{k}"] = np.asarray(v, np.float32)
        path = os.path.join(folder, f"vit_{name}.safetensors")
        write_safetensors(path, tensors, metadata)
        print(f"{os.path.getsize(path):7d} bytes  {os.path.basename(path)}  loss {float(exact['loss']['loss']):.6f}  "
              + "  ".join(f"{k[:-10]} {v}" for k, v in metadata.items() if k.endswith("f32_error")))


if __name__ == "__main__":
    main()
