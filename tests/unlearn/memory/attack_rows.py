"""What an unsealed row of memory gives away: /usr/bin/python3 tests/unlearn/memory/attack_rows.py MODEL FOLDS IMAGES.npz PEOPLE split.json

MODEL is a model folder, FOLDS a folder of fold models as meta-learn makes them (answers of set0_fold0), IMAGES.npz
holds X [n, side, side, 3] bytes, y [n, labels] and ids [n]. Attacks on rows g = mean grad KL(reference || f) of people's
photographs, whole and cut to a rank, by somebody who has the model, the row and the reference answers' mean:
  inversion   an image whose own gradient points along the row (Geiping et al. 2020: cosine distance and total variation)
  labels      the sign of the row's head bias tells on which side the model was too sure
  membership  does a photograph's own gradient point along the row: own photographs against other people's
Figures only; nothing is written. Needs PyTorch and numpy."""
import json, os, struct, sys
import numpy as np
import torch
import torch.nn.functional as F

model, folds, images = sys.argv[1:4]
count = int(sys.argv[4]) if len(sys.argv) > 4 else 4
torch.manual_seed(0)
torch.set_num_threads(1)


def read(folder):
    data = open(os.path.join(folder, "model.safetensors"), "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    body = data[8 + n :]
    return {
        k: torch.frombuffer(bytearray(body[slice(*v["data_offsets"])]), dtype=torch.float32).reshape(v["shape"])
        for k, v in header.items()
        if k != "__metadata__"
    }


config = json.load(open(os.path.join(model, "config.json")))
DIM, DEPTH, HEADS, EPS, PATCH = (config[k] for k in ("dim", "depth", "heads", "layerNormEps", "patchSize"))


def vit(p, x):
    b = len(x)
    h = F.conv2d(x, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=PATCH).flatten(2).transpose(1, 2)
    h = torch.cat([p["cls_token"].expand(b, 1, DIM), h], 1) + p["pos_embed"]
    norm = lambda h, k: F.layer_norm(h, (DIM,), p[k + ".weight"], p[k + ".bias"], EPS)
    lin = lambda h, k: h @ p[k + ".weight"].T + p[k + ".bias"]
    for i in range(DEPTH):
        k = f"blocks.{i}."
        q, ke, v = lin(norm(h, k + "norm1"), k + "attn.qkv").reshape(b, -1, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        o = ((q @ ke.transpose(-1, -2)) * (DIM // HEADS) ** -0.5).softmax(-1) @ v
        h = h + lin(o.transpose(1, 2).reshape(b, -1, DIM), k + "attn.proj")
        h = h + lin(F.gelu(lin(norm(h, k + "norm2"), k + "mlp.fc1")), k + "mlp.fc2")
    return lin(norm(h, "norm")[:, 0], "head")


theta = read(model)
reference = read(os.path.join(folds, "set0_fold0"))
dealt = json.load(open(os.path.join(folds, "folds.json")))["sets"][0]
data = np.load(images)
X = torch.from_numpy(data["X"]).permute(0, 3, 1, 2).float() / 127.5 - 1
Y = torch.from_numpy(data["y"].astype(np.float32))
ids = data["ids"].astype(str)
names = list(theta)


def gradient(x, due, graph=False):
    p = {k: v.clone().requires_grad_(True) for k, v in theta.items()}
    loss = F.binary_cross_entropy_with_logits(vit(p, x), due)
    return torch.autograd.grad(loss, [p[k] for k in names], create_graph=graph)


def cut(row, rank):
    out = []
    for k, g in zip(names, row):
        if rank and k.endswith(".weight") and g.dim() > 1:
            u, s, v = torch.linalg.svd(g.reshape(len(g), -1), full_matrices=False)
            g = ((u[:, :rank] * s[:rank]) @ v[:rank]).reshape(g.shape)
        out.append(g)
    return out


def cosine(a, b):
    dot = sum((x * y).sum() for x, y in zip(a, b))
    return dot / (sum((x * x).sum() for x in a).sqrt() * sum((y * y).sum() for y in b).sqrt() + 1e-20)


def correlation(a, b):
    a, b = a.flatten() - a.mean(), b.flatten() - b.mean()
    return (a @ b / (a.norm() * b.norm() + 1e-12)).item()


def invert(row, due, steps=int(os.environ.get("STEPS", 240))):
    x = torch.zeros(1, *X.shape[1:]).requires_grad_(True)
    optimiser = torch.optim.Adam([x], lr=0.05)
    for _ in range(steps):
        g = gradient(x, due, graph=True)
        tv = (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()
        loss = 1 - cosine(g, row) + 0.02 * tv
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        x.data.clamp_(-1, 1)
    return x.detach()[0]


# The first fold's people have a model that never saw them; rows follow the sorted identities.
train = json.load(open(sys.argv[5]))["identities"] if len(sys.argv) > 5 else None
people = sorted(train["retain"] + train["forget"]) if train else sorted(set(ids))
asked = [p for row, p in enumerate(people) if dealt[row] == 0][:count]
others = X[[i for i, p in enumerate(ids) if p not in asked][:400]]
mean = others.mean(0)
figures = {k: [] for k in ("one", "full", "4", "1")}
chance, labels, base, own, strange = [], [], [], {"full": [], "4": [], "1": []}, {"full": [], "4": [], "1": []}
for person in asked:
    at = np.where(ids == person)[0]
    photos = X[at]
    with torch.no_grad():
        due = vit(reference, photos).sigmoid()
    best = lambda x: max(correlation(x - mean, p - mean) for p in photos)
    chance.append(np.mean([best(o) for o in others[::20]]))
    single = gradient(photos[:1], due[:1])
    figures["one"].append(correlation(invert(single, due[:1]) - mean, photos[0] - mean))
    row = gradient(photos, due)
    for name, rank in (("full", 0), ("4", 4), ("1", 1)):
        low = cut(row, rank)
        figures[name].append(best(invert(low, due.mean(0, keepdim=True))))
        own[name] += [cosine(gradient(p[None], d[None]), low).item() for p, d in zip(photos[:8], due)]
        with torch.no_grad():
            far = vit(reference, others[:8]).sigmoid()
        strange[name] += [cosine(gradient(p[None], d[None]), low).item() for p, d in zip(others[:8], far)]
    bias = row[names.index("head.bias")]
    truth = Y[at].mean(0)
    sure = (truth - 0.5).abs() > 0.3
    labels.append(((bias > 0) == (truth > 0.5))[sure].float().mean().item())
    base.append(((Y.mean(0) > 0.5) == (truth > 0.5))[sure].float().mean().item())
auc = lambda a, b: np.mean([[x > y for y in b] for x in a])
out = dict(
    people=len(asked),
    inversion={k: round(float(np.mean(v)), 3) for k, v in figures.items()},
    inversionChance=round(float(np.mean(chance)), 3),
    labelAccuracy=round(float(np.mean(labels)), 3),
    labelBase=round(float(np.mean(base)), 3),
    membershipAuc={k: round(float(auc(own[k], strange[k])), 3) for k in own},
)
print(json.dumps(out))
