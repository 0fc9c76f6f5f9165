"""A ViT in plain PyTorch, and one unlearning step of it, as numbers to hold Lethe against.

torch_vit.py make OUT         with the shape, names and types of a model on standard input: writes
                              weights.safetensors and reference.safetensors into the folder OUT
torch_vit.py resize           positions on standard input, resized as timm does, on standard output

Needs torch alone (Debian: python3-torch); safetensors files are written by hand.
"""
import json
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, eps):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, eps=eps), Attention(dim, heads)
        self.norm2, self.mlp = nn.LayerNorm(dim, eps=eps), Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Vit(nn.Module):
    """timm's VisionTransformer, its names included."""

    def __init__(self, image, patch, dim, depth, heads, labels, eps):
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, dim) * 0.1)
        self.patch_embed = PatchEmbed(patch, dim)
        self.blocks = nn.Sequential(*(Block(dim, heads, eps) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(dim, eps=eps), nn.Linear(dim, labels)

    def forward(self, x):
        x = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        features = self.norm(self.blocks(x))[:, 0]
        return self.head(features), features


class MetaLoss(nn.Module):
    """Table 8b without identities and dropout: sigmoid(logits), features, targets."""

    def __init__(self, width, hidden):
        super().__init__()
        self.input_block = nn.Sequential(
            nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.Linear(hidden, hidden)
        )
        self.output_block = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, 1))

    def forward(self, logits, features, targets):
        row = torch.cat([logits.sigmoid(), features, targets], 1)
        return F.softplus(self.output_block(F.gelu(self.input_block(row)))).mean()


def transformers_names(theta):
    """timm's state as Hugging Face transformers names and cuts it."""
    renamed = {}
    for name, value in theta.items():
        parts = name.split(".")
        if parts[0] == "blocks":
            block = f"vit.encoder.layer.{parts[1]}."
            layer, kind = ".".join(parts[2:-1]), parts[-1]
            if layer == "attn.qkv":
                for which, part in zip(("query", "key", "value"), value.chunk(3)):
                    renamed[f"{block}attention.attention.{which}.{kind}"] = part
                continue
            layer = {
                "norm1": "layernorm_before",
                "attn.proj": "attention.output.dense",
                "norm2": "layernorm_after",
                "mlp.fc1": "intermediate.dense",
                "mlp.fc2": "output.dense",
            }[layer]
            renamed[f"{block}{layer}.{kind}"] = value
        else:
            renamed[{
                "cls_token": "vit.embeddings.cls_token",
                "pos_embed": "vit.embeddings.position_embeddings",
                "patch_embed.proj.weight": "vit.embeddings.patch_embeddings.projection.weight",
                "patch_embed.proj.bias": "vit.embeddings.patch_embeddings.projection.bias",
                "norm.weight": "vit.layernorm.weight",
                "norm.bias": "vit.layernorm.bias",
                "head.weight": "classifier.weight",
                "head.bias": "classifier.bias",
            }[name]] = value
    return renamed


TYPES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.uint8: "U8",
}


def save(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, value in tensors.items():
        size = value.numel() * value.element_size()
        header[name] = {
            "dtype": TYPES[value.dtype], "shape": list(value.shape), "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            value = value.detach().contiguous()
            if value.dtype == torch.bfloat16:  # numpy has no such type
                value = value.view(torch.int16)
            file.write(value.numpy().tobytes())


def make(out, image, patch, dim, depth, heads, labels, eps, names, dtype, images, eta, hidden):
    torch.manual_seed(0)
    vit = Vit(image, patch, dim, depth, heads, labels, eps).eval()
    with torch.no_grad():  # norms of 1 and 0 would hide a mistake; the step has to be large enough to see
        for name, value in vit.named_parameters():
            if "norm" in name:
                value += 0.1 * torch.randn_like(value)
    stored = {name: value.to(getattr(torch, dtype)) for name, value in vit.state_dict().items()}
    vit.load_state_dict({name: value.float() for name, value in stored.items()})
    save(f"{out}/weights.safetensors", transformers_names(stored) if names == "transformers" else stored)

    pixels = torch.randint(0, 256, (images, image, image, 3), dtype=torch.uint8)
    logits, features = vit((pixels.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5)
    phi = MetaLoss(labels + dim + labels, hidden)
    loss = phi(logits, features, (logits > 0).float())
    gradients = torch.autograd.grad(loss, list(vit.parameters()))
    unlearned = {
        f"unlearned.{name}": value - eta * gradient
        for (name, value), gradient in zip(vit.named_parameters(), gradients)
    }
    save(f"{out}/reference.safetensors", {
        "pixels": pixels,
        "logits": logits,
        "features": features,
        **{f"phi.{name}": value for name, value in phi.state_dict().items()},
        **unlearned,
    })


def resize(positions, side):
    """timm's resample_abs_pos_embed."""
    positions = torch.tensor(positions)
    dim, old = positions.shape[-1], round((positions.shape[1] - 1) ** 0.5)
    grid = positions[:, 1:].reshape(1, old, old, dim).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", antialias=True)
    return torch.cat([positions[:, :1], grid.permute(0, 2, 3, 1).reshape(1, -1, dim)], 1).tolist()


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if sys.argv[1] == "make":
        make(sys.argv[2], **given)
    else:
        json.dump([resize(**each) for each in given], sys.stdout)
