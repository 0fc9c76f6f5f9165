"""Rows of memory under other preconditioners than the one that Lethe takes, in PyTorch: what limits them?

/usr/bin/python3 preconditioners.py GRID SEED IMAGES.npz OUT.jsonl VARIANT...

GRID is what `deno task benchmark` left of a grid of 20 people with a row of memory; IMAGES.npz holds its data set's images in
the order of their names: X [n, side, side, 3] bytes, y [n, labels] and ids [n]. A VARIANT is BASIS:POWER:ROUNDS, with a basis of
  soap      eigenbases of E[g gT] and E[gT g], second moments in them: Lethe's
  diagonal  second moments of single weights
  kfac      eigenbases of the inputs' and the output gradients' second moments, and the products of their eigenvalues (K-FAC)
  ekfac     those eigenbases, second moments in them
  exact     (G + lambda)^-1 with the Gauss-Newton matrix G of 256 images, of a whole request's sum, by 100 conjugate gradients
            that SOAP's diagonal preconditions; one round; in the power's place lambda, a share of each tensor's mean diagonal
  doubled   soap with `--fold-sets 2`: the mean logits of the grid's folds' models and of a second partition's, trained here
Rounds, settings and the choice of the scale are those of `meta-learn --memory full`, with draws of their own; one round is the
plain gradient's, five times. A line of OUT has, of the scale chosen by simulated requests at which others lose at most 2 points:
the gap closed, points lost, AUC; and, which looks at the forget set, the gap closed where the real request costs 1.5 points."""
import hashlib, json, glob, math, os, struct, sys, time
import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../selfcheck"))
import torch_vit

torch.set_num_threads(1)
grid, seed, images, out, *variants = sys.argv[1:]
seed = int(seed)
DAMPING, SHARE, MOMENTS, JUDGED, LIMIT = 0.1, 1e-3, 256, 256, 2.0


def read(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + n]), data[8 + n :]
    part = lambda v: torch.frombuffer(bytearray(body[slice(*v["data_offsets"])]), dtype=torch.float32).reshape(v["shape"])
    return {k: part(v) for k, v in header.items() if k != "__metadata__"}


# The grid's split, models and images.
stage = lambda name: sorted(glob.glob(os.path.join(grid, "stages", name)))
history = {os.path.dirname(p): json.load(open(p)) for p in stage("train-*/history.json")}
(model,) = [f for f, h in history.items() if h["seed"] == seed and not h["withoutForget"]]
(oracle,) = [f for f, h in history.items() if h["seed"] == seed and h["withoutForget"]]
sha = hashlib.sha256(open(os.path.join(model, "model.safetensors"), "rb").read()).hexdigest()
folds, dealt = next((os.path.dirname(p), a) for p in stage("folds-*/folds.json") for a in [json.load(open(p))] if a["model"] == sha)
spelled = lambda s: hashlib.sha256(json.dumps(s, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
split = next(s for p in stage("split-*/split.json") for s in [json.load(open(p))] if spelled(s) == dealt["split"])
data = np.load(images)
X = torch.from_numpy(data["X"]).permute(0, 3, 1, 2).float() / 127.5 - 1
Y, ids = torch.from_numpy(data["y"].astype(np.float32)), data["ids"].astype(str)
config = json.load(open(os.path.join(model, "config.json")))
shape = [config[k] for k in ("dim", "depth", "heads", "layerNormEps", "patchSize")]
vit = lambda p, x, tape=None: torch_vit.vit(p, x, *shape, tape)
theta = read(os.path.join(model, "model.safetensors"))
names = list(theta)
parts = split["identities"]
people = sorted(parts["retain"] + parts["forget"])
named = {os.path.basename(str(file)): i for i, file in enumerate(data["files"])}
support = {named[os.path.basename(file)] for file in split["support"].values()}
own = [np.array([i for i in np.where(ids == p)[0] if i not in support]) for p in people]
of = lambda part: np.array([i for i in np.where(np.isin(ids, parts[part]))[0] if i not in support])
forget = [people.index(p) for p in parts["forget"]]
fold = np.array(dealt["sets"][0])


@torch.no_grad()
def said(p, at):
    return torch.cat([vit(p, X[at[i : i + 256]]) for i in range(0, len(at), 256)])


def mean_ap(scores, at):
    hit = Y[at].gather(0, scores.argsort(0, descending=True))
    n = hit.sum(0)
    ap = (hit.cumsum(0) / torch.arange(1, len(hit) + 1)[:, None] * hit).sum(0) / n.clamp(min=1)
    return 100 * ap[n > 0].mean().item()


every = np.arange(len(X))
before, retrained = said(theta, every), said(read(os.path.join(oracle, "model.safetensors")), every)
unseen = [said(read(os.path.join(folds, f"set0_fold{k}", "model.safetensors")), every) for k in range(fold.max() + 1)]
reference = before.clone()
for row, at in enumerate(own):
    reference[at] = unseen[fold[row]][at]
answers, original = [reference.sigmoid()], before.sigmoid()
train, val = np.concatenate(own), of("val")


def gradient(p, at, due):
    p = {k: v.detach().requires_grad_(True) for k, v in p.items()}
    loss = F.binary_cross_entropy_with_logits(vit(p, X[at]), due[at])
    return dict(zip(names, torch.autograd.grad(loss, [p[k] for k in names])))


# Moments of single images' gradients, labels drawn from the model.
random = np.random.RandomState(seed)
sample = random.permutation(np.concatenate([train, val]))[:MOMENTS]
drawn = (torch.rand(len(X), Y.shape[1], generator=torch.Generator().manual_seed(seed)) < original).float()
matrix = lambda g: g.reshape(len(g), -1)
is_matrix = lambda k: k.endswith(".weight") and theta[k].dim() > 1


def each_gradient():
    for i in sample:
        yield gradient(theta, np.array([i]), drawn)


def trained(at, draw):
    """A model by the grid's recipe, from weights of its own, on these images."""
    recipe = history[model]["recipe"]
    assert recipe["optimiser"] == "adamw" and recipe["augmentation"] == {"crop": None, "flip": True}
    start = torch.Generator().manual_seed(int(draw.randint(2**31)))
    p = {}
    for k, v in theta.items():
        bound = 1 / math.sqrt(theta["patch_embed.proj.weight"][0].numel())
        normal = 0.02 * torch.randn(v.shape, generator=start).clamp(-2, 2)
        uniform = bound * (2 * torch.rand(v.shape, generator=start) - 1)
        fixed = torch.ones_like(v) if "norm" in k and k.endswith("weight") else torch.zeros_like(v)
        p[k] = (uniform if "patch_embed" in k else fixed if "norm" in k or k.endswith("bias") or k == "cls_token" else normal).requires_grad_(True)
    decays = lambda k: k.endswith(".weight") and "norm" not in k
    groups = [{"params": [p[k] for k in names if decays(k) == d], "weight_decay": recipe["weightDecay"] * d} for d in (True, False)]
    optimiser = torch.optim.AdamW(groups)
    size, epochs, warm = recipe["batchSize"], recipe["epochs"], recipe["warmUpEpochs"]
    per, done = math.ceil(len(at) / size), 0
    for epoch in range(epochs):
        order = draw.permutation(at)
        for i in range(0, len(at), size):
            batch = order[i : i + size]
            flip = torch.from_numpy(draw.rand(len(batch)) < 0.5)[:, None, None, None]
            rate = (done + 1) / (warm * per) if epoch < warm else (1 + math.cos(math.pi * (epoch - warm) / epochs)) / 2
            for group in optimiser.param_groups:
                group["lr"] = recipe["learningRate"] * rate
            loss = F.binary_cross_entropy_with_logits(vit(p, torch.where(flip, X[batch].flip(-1), X[batch])), Y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            done += 1
    return {k: v.detach() for k, v in p.items()}


def second_answers():
    """Mean logits of both partitions; the second's are kept beside OUT."""
    path, draw = out + f".second{seed}.pt", np.random.RandomState(1000 + seed)
    dealt = np.arange(len(people)) % len(unseen)
    dealt = draw.permutation(dealt)
    found = torch.load(path) if os.path.exists(path) else {}
    mean = reference.clone()
    for k in range(len(unseen)):
        inside = np.concatenate([own[row] for row in np.where(dealt == k)[0]])
        if k not in found:
            found[k] = said(trained(np.setdiff1d(train, inside), np.random.RandomState(2000 + 10 * seed + k)), every)
            torch.save(found, path)
            print(f"second partition, fold {k}: val {mean_ap(found[k][val], val):.1f}, the first's {mean_ap(unseen[k][val], val):.1f}", flush=True)
        mean[inside] = (mean[inside] + found[k][inside]) / 2
    answers[0] = mean.sigmoid()


def bases(moments):
    return {k: torch.linalg.eigh(m.double())[1].float() for k, m in moments.items()}


def soap_bases():
    left, right = {}, {}
    for g in each_gradient():
        for k in filter(is_matrix, names):
            m = matrix(g[k])
            left[k], right[k] = left.get(k, 0) + m @ m.T, right.get(k, 0) + m.T @ m
    return bases(left), bases(right)


def kfac_factors():
    inputs, outputs = {}, {}
    for i in sample:
        p, tape = {k: v.clone().requires_grad_(True) for k, v in theta.items()}, []
        loss = F.binary_cross_entropy_with_logits(vit(p, X[i : i + 1], tape), drawn[i : i + 1])
        for (k, a, _), g in zip(tape, torch.autograd.grad(loss, [y for _, _, y in tape])):
            a, g = a.detach().reshape(-1, a.shape[-1]), g.reshape(-1, g.shape[-1])
            inputs[k + ".weight"] = inputs.get(k + ".weight", 0) + a.T @ a
            outputs[k + ".weight"] = outputs.get(k + ".weight", 0) + g.T @ g
    return outputs, inputs


def in_bases(g, k, left, right):
    return left[k].T @ matrix(g) @ right[k] if k in left else g


def moments_of(basis):
    left, right, factors = {}, {}, None
    if basis == "soap":
        left, right = soap_bases()
    elif basis in ("kfac", "ekfac"):
        factors = kfac_factors()
        left, right = map(bases, factors)
    diagonal = {}
    for g in each_gradient():
        for k in names:
            diagonal[k] = diagonal.get(k, 0) + in_bases(g[k], k, left, right) ** 2
    if basis == "kfac":
        for k in left:
            values = [torch.linalg.eigvalsh(f[k].double()).clamp(min=0).float() for f in factors]
            diagonal[k] = values[0][:, None] * values[1][None]
    return left, right, {k: d / len(sample) for k, d in diagonal.items()}


class Scaled:
    """s (D + lambda)^-power in bases."""

    def __init__(self, basis, power):
        self.left, self.right, diagonal = moments_of(basis)
        self.factor = {k: (d / d.mean() + DAMPING) ** -power for k, d in diagonal.items()}
        steps = [self(gradient(theta, own[row], answers[0])) for row in random.permutation(len(people))[:24]]
        for k in names:
            norm = np.mean([s[k].norm().item() for s in steps])
            due = SHARE * (theta[k].norm().item() + 0.01 * math.sqrt(theta[k].numel()))
            self.factor[k] = self.factor[k] * (due / max(norm, 1e-12))

    def __call__(self, g):
        step = {}
        for k in names:
            x = self.factor[k] * in_bases(g[k], k, self.left, self.right)
            step[k] = (self.left[k] @ x @ self.right[k].T).reshape(theta[k].shape) if k in self.left else x
        return step


class Exact:
    """(G + lambda)^-1 by preconditioned conjugate gradients, lambda a share of each tensor's mean diagonal as in Scaled."""

    def __init__(self, damping):
        self.size = None
        self.left, self.right, diagonal = moments_of("soap")
        # A gradient's second moment sums over labels what G averages.
        diagonal = {k: d * Y.shape[1] for k, d in diagonal.items()}
        self.damping = [damping * diagonal[k].mean().item() for k in names]
        self.inverse = {k: 1 / (diagonal[k] + l) for k, l in zip(names, self.damping)}
        self.p = {k: v.clone().requires_grad_(True) for k, v in theta.items()}
        self.out = vit(self.p, X[sample])
        self.at = [self.p[k] for k in names]
        self.u = torch.zeros_like(self.out, requires_grad=True)
        self.back = torch.autograd.grad(self.out, self.at, self.u, create_graph=True)
        prob = self.out.detach().sigmoid()
        self.curve = prob * (1 - prob) / self.out.numel()

    dot = staticmethod(lambda a, b: sum((x * y).sum().item() for x, y in zip(a, b)))

    def near(self, v):
        step = []
        for k, x in zip(names, v):
            y = self.inverse[k] * in_bases(x, k, self.left, self.right)
            step.append((self.left[k] @ y @ self.right[k].T).reshape(theta[k].shape) if k in self.left else y)
        return step

    def times(self, v):
        (jv,) = torch.autograd.grad(self.back, self.u, v, retain_graph=True)
        return torch.autograd.grad(self.out, self.at, self.curve * jv, retain_graph=True)

    def __call__(self, g):
        b = [g[k] for k in names]
        x, r = [torch.zeros_like(v) for v in b], list(b)
        z = self.near(r)
        d, rz, first = list(z), self.dot(r, z), self.dot(b, b)
        for self.steps in range(1, 101):
            ad = [a + l * v for a, l, v in zip(self.times(d), self.damping, d)]
            t = rz / self.dot(d, ad)
            x, r = [v + t * w for v, w in zip(x, d)], [v - t * w for v, w in zip(r, ad)]
            if self.dot(r, r) < 1e-3 * first:
                break
            z = self.near(r)
            rz, old = self.dot(r, z), rz
            d = [v + rz / old * w for v, w in zip(z, d)]
        if self.size is None:
            norm = math.sqrt(self.dot(x, x)) / 20
            self.size = SHARE * math.sqrt(sum((v**2).sum().item() for v in theta.values())) / norm
        print("cg", self.steps, f"residual {math.sqrt(self.dot(r, r) / first):.3f}", flush=True)
        return {k: self.size * v for k, v in zip(names, x)}


def rows_of(condition, rounds):
    """Everybody's sums of gradients Q; one round: plain, five times."""
    rows = {k: torch.zeros(len(people), *theta[k].shape) for k in names}
    if rounds == 1:
        for row, at in enumerate(own):
            for k, g in gradient(theta, at, answers[0]).items():
                rows[k][row] = 5 * g
        return rows
    for t in range(rounds):
        n = (20, 5)[t % 2]
        order = random.permutation(len(people))
        for group in np.array_split(order, round(len(order) / n)):
            step = condition({k: rows[k][group].sum(0) for k in names})
            moved = {k: theta[k] - step[k] for k in names}
            others = np.setdiff1d(train, np.concatenate([own[row] for row in group]))
            held = gradient(moved, random.permutation(others)[:64], original)
            strange = gradient(moved, random.permutation(val)[:32], original)
            for row in group:
                g = gradient(moved, own[row], answers[0])
                for k in names:
                    rows[k][row] += (1 - 0.9 * t / rounds) * (g[k] + 2 * held[k] + strange[k])
        print("round", t + 1, flush=True)
    return rows


def tug_of_war(got, due):
    return math.prod(1 - abs(a - b) / 100 for a, b in zip(got, due))


def variant(name):
    basis, power, rounds = name.split(":")
    answers[0] = reference.sigmoid()
    if basis == "doubled":
        second_answers()
        basis = "soap"
    condition = Exact(float(power)) if basis == "exact" else Scaled(basis, float(power))
    rows = rows_of(condition, int(rounds))
    request = lambda group: condition({k: rows[k][group].sum(0) for k in names})
    draw = np.random.RandomState(99)
    simulated = []
    for k in range(len(unseen)):
        mine = draw.permutation(np.where(fold == k)[0])
        group = mine[:20]
        asked, rest = np.concatenate([own[r] for r in group]), np.concatenate([own[r] for r in np.where(fold != k)[0]])
        at = [draw.permutation(rest)[:JUDGED], asked, draw.permutation(val)[:JUDGED]]
        was, would = [[mean_ap(logits[a], a) for a in at] for logits in (before, unseen[k])]
        share = min(1, len(group) / len(mine))
        aim = [was[0] + share * (would[0] - was[0]), would[1], was[2] + share * (would[2] - was[2])]
        simulated.append((request(group), at, was, aim))
    at = [of("retain"), of("forget"), of("test")]
    was, due = [[mean_ap(logits[a], a) for a in at] for logits in (before, retrained)]
    step = request(np.array(forget))
    compared = lambda logits: [(F.binary_cross_entropy_with_logits(retrained[a], Y[a], reduction="none") - F.binary_cross_entropy_with_logits(l, Y[a], reduction="none")).mean(1) for a, l in zip(at[1:], logits[1:])]

    def judge(scale):
        score, lost = 0, 0
        for step, at, was, aim in simulated:
            moved = {k: theta[k] - scale * step[k] for k in names}
            got = [mean_ap(said(moved, a), a) for a in at]
            score, lost = score + tug_of_war(got, aim) / len(simulated), lost + (was[0] - got[0]) / len(simulated)
        return score, lost

    def real(scale):
        logits = [said({k: theta[k] - scale * step[k] for k in names}, a) for a in at]
        got = [mean_ap(l, a) for l, a in zip(logits, at)]
        nothing = tug_of_war(was, due)
        mine, strange = compared(logits)
        auc = ((mine[:, None] > strange[None]).float().mean() + (mine[:, None] == strange[None]).float().mean() / 2).item()
        return (tug_of_war(got, due) - nothing) / (1 - nothing), was[0] - got[0], auc

    tried, power_of = {}, 0
    while True:
        scale = 1.5**power_of
        tried[scale] = judge(scale)
        print(name, f"scale {scale:.2f}: {100 * tried[scale][0]:.2f}, {tried[scale][1]:.2f} lost", flush=True)
        if tried[scale][1] > LIMIT and scale > min(tried) or abs(power_of) > 12:
            break
        allowed = {s: v for s, v in tried.items() if v[1] <= LIMIT}
        if not allowed:
            power_of = round(math.log(min(tried), 1.5)) - 1
            continue
        best = max(allowed, key=lambda s: allowed[s][0])
        if best == max(tried):
            power_of = round(math.log(best, 1.5)) + 1
        elif best == min(tried):
            power_of = round(math.log(best, 1.5)) - 1
        else:
            break
    allowed = {s: v for s, v in tried.items() if v[1] <= LIMIT} or {min(tried): 0}
    best = max(allowed, key=lambda s: allowed[s])
    # Finer towards the limit, as Lethe's search.
    above = [s for s in tried if s > best]
    for _ in range(2 if above and tried[min(above)][1] > LIMIT else 0):
        middle = math.sqrt(best * min(s for s in tried if s > best))
        tried[middle] = judge(middle)
        if tried[middle][1] <= LIMIT and tried[middle][0] > tried[best][0]:
            best = middle
    gap, lost, auc = real(best)
    curve = sorted((s, *real(s)) for s in tried)
    lost_at, gap_at = [0] + [c[2] for c in curve], [0] + [c[1] for c in curve]
    at_equal = float(np.interp(1.5, lost_at, gap_at)) if max(lost_at) >= 1.5 and lost_at == sorted(lost_at) else None
    line = {"variant": name, "seed": seed, "scale": round(best, 3), "gap": round(gap, 3), "lost": round(lost, 2), "auc": round(auc, 3), "gapAt1.5": at_equal, "curve": curve, "seconds": round(time.process_time())}
    print(json.dumps(line), flush=True)
    open(out, "a").write(json.dumps(line) + "\n")


for name in variants:
    variant(name)
