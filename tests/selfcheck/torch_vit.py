"""timm's ViT in PyTorch, for the scripts that hold Lethe against it. Needs PyTorch, nothing else."""
import torch
import torch.nn.functional as F


def vit(p, x, dim, depth, heads, eps, patch, tape=None):
    """Logits. `tape`, a list, is given each linear layer's name, inputs [b, tokens, in] and outputs."""
    b = len(x)
    h = F.conv2d(x, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=patch).flatten(2).transpose(1, 2)
    if tape is not None:
        tape.append(("patch_embed.proj", F.unfold(x, patch, stride=patch).transpose(1, 2), h))
    h = torch.cat([p["cls_token"].expand(b, 1, dim), h], 1) + p["pos_embed"]
    norm = lambda h, k: F.layer_norm(h, (dim,), p[k + ".weight"], p[k + ".bias"], eps)

    def lin(h, k):
        y = h @ p[k + ".weight"].T + p[k + ".bias"]
        if tape is not None:
            tape.append((k, h.reshape(b, -1, h.shape[-1]), y))
        return y

    for i in range(depth):
        k = f"blocks.{i}."
        q, ke, v = lin(norm(h, k + "norm1"), k + "attn.qkv").reshape(b, -1, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
        o = ((q @ ke.transpose(-1, -2)) * (dim // heads) ** -0.5).softmax(-1) @ v
        h = h + lin(o.transpose(1, 2).reshape(b, -1, dim), k + "attn.proj")
        h = h + lin(F.gelu(lin(norm(h, k + "norm2"), k + "mlp.fc1")), k + "mlp.fc2")
    return lin(norm(h, "norm")[:, 0], "head")
