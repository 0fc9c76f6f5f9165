"""What an unsealed row of memory gives away, attacked in PyTorch by somebody who has the model and the reference answers.

/usr/bin/python3 attack_rows.py photographs GRID IMAGES.npz OUT.json [PEOPLE]              figures only
/usr/bin/python3 attack_rows.py portraits GRID OUT.json OUT.svg [PEOPLE]                   figures, and pictures beside originals

GRID is what `deno task benchmark --settings tests/unlearn/memory/attack_portraits.json --out GRID` left, or with photographs a
grid of one row of memory, whole, whose images IMAGES.npz holds: X [n, side, side, 3] bytes, y [n, labels] and ids [n]. Of
photographs no picture is written. SPLIT and ROWS (names of stages) tell which of several. People are those of fold 0. Two kinds of
row: the plain one, g = mean grad KL(reference || f) of a person's images, and the one that a kit keeps, after rounds and
preconditioner; each whole and cut to a rank.
  inversion   an image whose own gradient points along the row (Geiping et al. 2020: cosine distance and total variation);
              correlation of the picture found with the nearest of the person's own, both less the mean image
  labels      the sign of the row's head bias tells on which side the model was too sure
  membership  does an image's own gradient point along the row: AUC, own images against other people's
STEPS (200) of inversion: a bound for nobody who tries longer. Needs PyTorch and numpy."""
import base64, glob, hashlib, json, os, struct, sys, zlib
import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../selfcheck"))
import torch_vit

torch.manual_seed(0)
torch.set_num_threads(1)
STEPS = int(os.environ.get("STEPS", 200))
RANKS = {"full": 0, "4": 4, "1": 1}


def read(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + n]), data[8 + n :]
    kinds = {"F32": torch.float32, "I32": torch.int32}
    part = lambda v: torch.frombuffer(bytearray(body[slice(*v["data_offsets"])]), dtype=kinds[v["dtype"]]).reshape(v["shape"])
    return {k: part(v) for k, v in header.items() if k != "__metadata__"}


def png(path):
    """An 8-bit RGB PNG as [h, w, 3] bytes."""
    data, at, body = open(path, "rb").read(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IHDR":
            w, h, depth, colour = struct.unpack(">IIBB", data[at + 8 : at + 18])
            assert (depth, colour) == (8, 2)
        body += data[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw = np.frombuffer(zlib.decompress(body), np.uint8).reshape(h, 1 + 3 * w)
    out = np.zeros((h, 3 * w), np.int32)
    for y in range(h):
        line, above = raw[y, 1:].astype(np.int32), out[y - 1] if y else np.zeros(3 * w, np.int32)
        for x in range(3 * w):
            a, b, c = (out[y, x - 3] if x > 2 else 0), above[x], (above[x - 3] if x > 2 else 0)
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out[y, x] = (line[x] + (0, a, b, (a + b) // 2, near)[raw[y, 0]]) & 255
    return out.reshape(h, w, 3).astype(np.uint8)


def data_url(image):
    """A [3, h, w] image in [-1, 1] as a PNG."""
    rgb = ((image.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().byte().numpy()
    h, w, _ = rgb.shape
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    lines = b"".join(b"\0" + line.tobytes() for line in rgb)
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(data).decode()


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


def gradient(x, due, graph=False):
    p = {k: v.clone().requires_grad_(True) for k, v in theta.items()}
    loss = F.binary_cross_entropy_with_logits(vit(p, x), due)
    return torch.autograd.grad(loss, [p[k] for k in names], create_graph=graph)


def invert(row, due):
    x = torch.zeros(1, *X.shape[1:]).requires_grad_(True)
    optimiser = torch.optim.Adam([x], lr=0.05)
    for _ in range(STEPS):
        g = gradient(x, due, graph=True)
        tv = (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()
        loss = 1 - cosine(g, row) + 0.02 * tv
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        x.data.clamp_(-1, 1)
    return x.detach()[0]


def kept_row(path):
    """A row as a kit keeps it: halves of each tensor over its largest magnitude, two to an integer."""
    stored = read(path)
    of = lambda k: torch.from_numpy(stored["whole/" + k].numpy().view(np.float16)[: theta[k].numel()].astype(np.float32).copy())
    return [(of(k) * stored[f"whole/{k}.scale"]).reshape(theta[k].shape) for k in names]


kind, arguments = sys.argv[1], sys.argv[2:]
grid, second, third = arguments[:3]
count = int(arguments[3]) if len(arguments) > 3 else 3
stage = lambda name: sorted(glob.glob(os.path.join(grid, "stages", name)))
sha256 = lambda path: hashlib.sha256(open(path, "rb").read()).hexdigest()
split = json.load(open(os.path.join(stage(os.environ.get("SPLIT", "split-*"))[0], "split.json")))
spelled = hashlib.sha256(json.dumps(split, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
about, folds = next(
    (about, os.path.dirname(path))
    for path in stage("folds-*/folds.json")
    for about in [json.load(open(path))]
    if about["split"] == spelled
)
(model,) = [folder for folder in stage("train-*[0-9a-f]") if sha256(os.path.join(folder, "model.safetensors")) == about["model"]]
kept = os.path.join(stage(os.environ.get("ROWS", "memorise-*"))[0], "rank_full")
if kind == "photographs":
    out, picture = third, None
    data = np.load(second)
    pixels, Y, ids = data["X"], torch.from_numpy(data["y"].astype(np.float32)), data["ids"].astype(str)
else:
    out, picture = second, third
    drawn = stage("draw-*")[0]
    whose = dict(line.split() for line in open(os.path.join(drawn, "identity_CelebA.txt")))
    table = [line.split() for line in open(os.path.join(drawn, "list_attr_celeba.txt"))][2:]
    files = sorted(whose)
    marks = {line[0]: [float(x == "1") for x in line[1:]] for line in table}
    pixels = np.stack([png(os.path.join(drawn, "img_align_celeba", f)) for f in files])
    Y, ids = torch.tensor([marks[f] for f in files]), np.array([whose[f] for f in files])

config = json.load(open(os.path.join(model, "config.json")))
shape = [config[k] for k in ("dim", "depth", "heads", "layerNormEps", "patchSize")]
vit = lambda p, x: torch_vit.vit(p, x, *shape)
theta = read(os.path.join(model, "model.safetensors"))
reference = read(os.path.join(folds, "set0_fold0", "model.safetensors"))
dealt = about["sets"][0]
X = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
names = list(theta)
parts = split["identities"]
people = sorted(parts["retain"] + parts["forget"])  # rows follow the sorted identities
asked = [(row, p) for row, p in enumerate(people) if dealt[row] == 0][:count]
others = X[[i for i, p in enumerate(ids) if p not in [name for _, name in asked]][:400]]
mean = others.mean(0)
figures = {}
note = lambda kind, rank, what, value: figures.setdefault((kind, rank), {}).setdefault(what, []).append(value)
pictures = []
chance, labels, base = [], [], []
for row, person in asked:
    at = np.where(ids == person)[0]
    photos = X[at]
    with torch.no_grad():
        due = vit(reference, photos).sigmoid()
        far = vit(reference, others[:8]).sigmoid()
    best = lambda x: max(correlation(x - mean, p - mean) for p in photos)
    chance.append(np.mean([best(o) for o in others[::20]]))
    own = [gradient(p[None], d[None]) for p, d in zip(photos[:8], due)]
    strange = [gradient(p[None], d[None]) for p, d in zip(others[:8], far)]
    single = invert(own[0], due[:1])
    note("one image's gradient", "full", "inversion", correlation(single - mean, photos[0] - mean))
    found = [photos[0], single]
    kinds = {"plain": gradient(photos, due), "as a kit keeps it": kept_row(os.path.join(kept, f"{row}.safetensors"))}
    for kind_, whole in kinds.items():
        for rank, r in RANKS.items():
            low = cut(whole, r)
            x = invert(low, due.mean(0, keepdim=True))
            found.append(x)
            note(kind_, rank, "inversion", best(x))
            note(kind_, rank, "own", [cosine(g, low).item() for g in own])
            note(kind_, rank, "strange", [cosine(g, low).item() for g in strange])
    pictures.append(found)
    bias = kinds["plain"][names.index("head.bias")]
    truth = Y[at].mean(0)
    sure = (truth - 0.5).abs() > 0.3
    labels.append(((bias > 0) == (truth > 0.5))[sure].float().mean().item())
    base.append(((Y.mean(0) > 0.5) == (truth > 0.5))[sure].float().mean().item())
table = []
for (kind_, rank), of in figures.items():
    auc = "-"
    if "own" in of:
        a, b = sum(of["own"], []), sum(of["strange"], [])
        auc = f"{np.mean([[x > y for y in b] for x in a]):.2f}"
    table.append([kind_, rank, f"{np.mean(of['inversion']):.2f}", auc])
table.append(["another person's image", "-", f"{np.mean(chance):.2f}", "0.50"])
print(json.dumps({"people": len(asked), "steps": STEPS, "rows": table, "labels": np.mean(labels), "labelsByMajority": np.mean(base)}))
environment = lambda name, default: os.environ.get(name, default)
result = {
    "command": f"python3 tests/unlearn/memory/attack_rows.py {kind} grid " + ("OUT.json OUT.svg" if picture else "IMAGES.npz OUT.json"),
    "commit": environment("COMMIT", "unknown"),
    "adapter": "PyTorch, one thread",
    "machine": environment("MACHINE", "unknown"),
    "date": environment("DATE", "unknown"),
    "columns": ["row", "rank", "inversion: correlation with the nearest own image", "membership: AUC"],
    "rows": table,
}
json.dump(result, open(out, "w"), indent=2)
if picture:
    heads = ["original", "one image"] + [f"{k} {r}" for k in ("plain", "kit") for r in RANKS]
    side, gap = 64, 8
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(heads) * (side + gap) + gap}" height="{len(pictures) * (side + gap) + 24}" font-family="sans-serif" font-size="10">']
    for i, head in enumerate(heads):
        svg.append(f'<text x="{gap + i * (side + gap)}" y="14">{head}</text>')
        for j, found in enumerate(pictures):
            svg.append(f'<image x="{gap + i * (side + gap)}" y="{20 + j * (side + gap)}" width="{side}" height="{side}" href="{data_url(found[i])}"/>')
    open(picture, "w").write("\n".join(svg + ["</svg>", ""]))
