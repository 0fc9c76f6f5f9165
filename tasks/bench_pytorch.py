"""Lethe's training step in PyTorch, for `deno task bench-pytorch`: the same model, weights, images
and loss, forward and backward, on the CPU. Needs Debian's python3-torch and nothing else.

Standard input: one line of JSON (`dim`, `heads`, `depth`, `patchSize`, `epsilon`, `tensors`: a list
of [name, shape]), then the tensors as little-endian float32, then lines with a number of steps.
Standard output: for each such number a line of JSON with the loss and what computed it.
"""

import json
import os
import sys

import torch
import torch.nn.functional as F


def read_tensors(stream, rows):
    tensors = {}
    for name, shape in rows:
        count = 1
        for size in shape:
            count *= size
        raw = bytearray(stream.read(4 * count))
        tensors[name] = torch.frombuffer(raw, dtype=torch.float32).reshape(shape)
    return tensors


def attention(qkv, heads):
    b, n, width = qkv.shape
    q, k, v = qkv.reshape(b, n, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(b, n, width // 3)


def logits_of(theta, patches, shape):
    dim, epsilon = shape["dim"], shape["epsilon"]

    def affine(x, layer):
        return F.linear(x, theta[layer + ".weight"], theta[layer + ".bias"])

    def norm(x, layer):
        weight, bias = theta[layer + ".weight"], theta[layer + ".bias"]
        return F.layer_norm(x, (dim,), weight, bias, epsilon)

    kernel = theta["patch_embed.proj.weight"].flatten(1)
    positions = theta["pos_embed"]
    rows = F.linear(patches, kernel, theta["patch_embed.proj.bias"])
    rows = rows.reshape(-1, positions.shape[1] - 1, dim)
    x = torch.cat([theta["cls_token"].expand(len(rows), -1, -1), rows], 1) + positions
    for i in range(shape["depth"]):
        block = f"blocks.{i}."
        attended = attention(affine(norm(x, block + "norm1"), block + "attn.qkv"), shape["heads"])
        x = x + affine(attended, block + "attn.proj")
        hidden = F.gelu(affine(norm(x, block + "norm2"), block + "mlp.fc1"))
        x = x + affine(hidden, block + "mlp.fc2")
    return affine(norm(x[:, 0], "norm"), "head")


def description():
    """Version, threads and the linear algebra library, which decides the speed."""
    with open("/proc/self/maps") as maps:
        paths = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {' '.join(sorted(paths))}"


def main():
    stream = sys.stdin.buffer
    shape = json.loads(stream.readline())
    theta = read_tensors(stream, shape["tensors"])
    patches, targets = theta.pop("patches"), theta.pop("targets")
    weights = [tensor.requires_grad_() for tensor in theta.values()]
    for line in stream:
        for _ in range(int(line)):
            logits = logits_of(theta, patches, shape)
            loss = F.binary_cross_entropy_with_logits(logits, targets)
            torch.autograd.grad(loss, weights)
        print(json.dumps({"loss": loss.item(), "version": description()}), flush=True)


main()
