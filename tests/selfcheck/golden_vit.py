"""Golden files and timm's ViT in float64, for the scripts beside it. Needs PyTorch, nothing else."""
import json, os, struct
import torch
import torch_vit

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/golden")
torch.set_default_dtype(torch.float64)


def read(name):
    data = open(os.path.join(GOLDEN, name + ".safetensors"), "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + n]), data[8 + n :]
    out = {}
    for key, of in header.items():
        if key == "__metadata__" or of["dtype"] != "F32":
            continue
        begin, end = of["data_offsets"]
        values = torch.frombuffer(bytearray(body[begin:end]), dtype=torch.float32) if end > begin else torch.zeros(0)
        out[key] = values.double().reshape(of["shape"])
    return out


def write(name, tensors):
    header, body, at = {}, b"", 0
    for key in sorted(tensors):
        raw = tensors[key].detach().float().contiguous().numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(tensors[key].shape), "data_offsets": [at, at + len(raw)]}
        body, at = body + raw, at + len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(os.path.join(GOLDEN, name + ".safetensors"), "wb").write(struct.pack("<Q", len(text)) + text + body)


config = json.load(open(os.path.join(GOLDEN, "config.json")))
DIM, DEPTH, HEADS, EPS, PATCH = (config[k] for k in ("dim", "depth", "heads", "layer_norm_eps_vit", "patch"))


def vit(p, x):
    """Logits."""
    return torch_vit.vit(p, x, DIM, DEPTH, HEADS, EPS, PATCH)


def gradient(at, loss):
    p = {k: v.clone().requires_grad_(True) for k, v in at.items()}
    return dict(zip(p, torch.autograd.grad(loss(p), list(p.values()))))


# A part of the tensors tells as much as all of them.
SOME = ("blocks.1.", "head.", "cls_token", "norm.")
