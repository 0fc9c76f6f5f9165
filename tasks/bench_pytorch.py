"""Lethe's steps in PyTorch, for `deno task bench-pytorch`: the same model, weights, images and losses,
on the CPU, or on a CUDA card where it is asked for and there. Needs PyTorch and nothing else.

Standard input: one line of JSON (`dim`, `heads`, `depth`, `epsilon`, `eta`, `cuda`, `tensors`: a list
of [name, shape]), then the tensors as little-endian float32, then lines of JSON, each with a `step`
(`gradient`, `training` with SGD, `evaluation`, `meta`), a `mode` (`fp32`, `tf32`, `bf16`) and `times`.
Standard output: for each of these a line of JSON with the step's value and what computed it.
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


def attention(qkv, heads, twice):
    b, n, width = qkv.shape
    q, k, v = qkv.reshape(b, n, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    if qkv.is_cuda and not twice:
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, width // 3)
    # PyTorch's own kernels cannot be differentiated twice.
    weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(b, n, width // 3)


def output_of(theta, patches, shape, twice=False):
    """Logits and features; `twice` where the pass is to be differentiated twice."""
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
        qkv = affine(norm(x, block + "norm1"), block + "attn.qkv")
        attended = attention(qkv, shape["heads"], twice)
        x = x + affine(attended, block + "attn.proj")
        hidden = F.gelu(affine(norm(x, block + "norm2"), block + "mlp.fc1"))
        x = x + affine(hidden, block + "mlp.fc2")
    features = norm(x[:, 0], "norm")
    return affine(features, "head"), features


def meta_loss(phi, logits, features, targets):
    """h_phi of the support set (Table 8b), without dropout."""

    def affine(x, layer):
        return F.linear(x, phi[layer + ".weight"], phi[layer + ".bias"])

    def norm(x, layer):
        return F.layer_norm(x, x.shape[-1:], phi[layer + ".weight"], phi[layer + ".bias"], 1e-5)

    row = torch.cat([logits.sigmoid(), features, targets, phi["embed.weight"]], 1)
    mixed = norm(affine(row, "input_block.0"), "input_block.1")
    hidden = norm(F.gelu(affine(mixed, "input_block.2")), "output_block.0")
    return F.softplus(affine(hidden, "output_block.1")).mean()


class Steps:
    """The steps that are timed; each returns a number that Lethe's has too."""

    def __init__(self, tensors, shape):
        self.shape, self.data, self.phi, self.theta = shape, {}, {}, {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            getattr(self, kind)[rest] = tensor.requires_grad_(kind != "data")
        self.weights = list(self.theta.values())
        self.optimiser = torch.optim.SGD(self.weights, 1e-3, momentum=0.9, weight_decay=1e-3)
        rates = {"lr": 1e-4, "weight_decay": 0, "amsgrad": True}
        self.meta_optimiser = torch.optim.AdamW(self.phi.values(), **rates)
        with torch.no_grad():
            self.before = self.loss(self.theta, "val")

    def loss(self, theta, images):
        logits, _ = output_of(theta, self.data[images + " patches"], self.shape)
        return F.binary_cross_entropy_with_logits(logits, self.data[images + " targets"])

    def gradient(self):
        loss = self.loss(self.theta, "forget")
        torch.autograd.grad(loss, self.weights)
        return loss

    def training(self):
        loss = self.loss(self.theta, "forget")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss

    @torch.no_grad()
    def evaluation(self):
        logits, _ = output_of(self.theta, self.data["forget patches"], self.shape)
        return logits.sum()

    def meta(self):
        """A step down dA/dphi by double backward, as the released code takes it; the norm of dA/dphi."""
        logits, features = output_of(
            self.theta, self.data["support patches"], self.shape, twice=True
        )
        value = meta_loss(self.phi, logits, features, self.data["support targets"])
        slopes = torch.autograd.grad(value, self.weights, create_graph=True)
        moved = {
            name: weight - self.shape["eta"] * slope
            for (name, weight), slope in zip(self.theta.items(), slopes)
        }
        forget = self.loss(moved, "forget")
        with torch.no_grad():
            after = self.loss(moved, "val")
        objective = F.smooth_l1_loss(forget, after) + F.smooth_l1_loss(forget, self.before)
        gradients = torch.autograd.grad(objective, list(self.phi.values()))
        for weight, slope in zip(self.phi.values(), gradients):
            weight.grad = slope
        self.meta_optimiser.step()
        return torch.stack([slope.float().square().sum() for slope in gradients]).sum().sqrt()


def description(cuda):
    """Version, and the card or the threads and linear algebra library, which decide the speed."""
    if cuda:
        return f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}"
    with open("/proc/self/maps") as maps:
        paths = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {' '.join(sorted(paths))}"


def main():
    stream = sys.stdin.buffer
    shape = json.loads(stream.readline())
    cuda = shape["cuda"] and torch.cuda.is_available()
    tensors = read_tensors(stream, shape["tensors"])
    steps = Steps({name: t.to("cuda" if cuda else "cpu") for name, t in tensors.items()}, shape)
    for line in stream:
        asked = json.loads(line)
        tf32, bf16 = asked["mode"] == "tf32", asked["mode"] == "bf16"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        with torch.autocast("cuda" if cuda else "cpu", torch.bfloat16, enabled=bf16):
            for _ in range(asked["times"]):
                value = getattr(steps, asked["step"])()
        # Reading the value waits for the card.
        answer = {"value": value.item(), "version": description(cuda), "cuda": cuda}
        answer["bytes"] = torch.cuda.max_memory_allocated() if cuda else 0
        print(json.dumps(answer), flush=True)


main()
