"""Numbers of `--method memory` in float64, independent of Lethe: /usr/bin/python3 tests/selfcheck/memory_reference.py

Reads fixtures/golden/{config.json,model,batch,methods_batch}.safetensors and writes memory_expected.safetensors there:
the preconditioned step of one person's row, rows after two rounds with what others lose, theta_u and the
gradient of the learned settings (DESIGN section 7; lib/unlearn/memory/). Needs PyTorch, nothing else."""
import math
import torch
import torch.nn.functional as F
from golden_vit import SOME, gradient, read, vit, write

theta = {k: v for k, v in read("model").items()}
batch, more = read("batch"), read("methods_batch")
train, val, forget = more["train.images"], batch["val.images"], batch["forget.images"]
names = sorted(theta)
is_matrix = lambda k: k.endswith(".weight") and theta[k].dim() > 1
flat = lambda x: x.reshape(len(x), -1)


# Moments of single images' gradients: of the task loss summed over labels, on the labels that are given.
per_image = [
    gradient(theta, lambda p: F.binary_cross_entropy_with_logits(vit(p, x[None]), y[None], reduction="sum"))
    for x, y in zip(train, more["train.targets"])
]
left, right, diagonal = {}, {}, {}
for k in names:
    g = torch.stack([of[k] for of in per_image])
    if is_matrix(k):
        g = torch.stack([flat(of[k]) for of in per_image])
        left[k] = torch.linalg.eigh(torch.einsum("noi,npi->op", g, g))[1]
        right[k] = torch.linalg.eigh(torch.einsum("noi,noj->ij", g, g))[1]
        g = left[k].T @ g @ right[k]
    moment = (g**2).mean(0)
    diagonal[k] = moment / moment.mean()

settings = {
    "logSize": {k: torch.tensor(-3 + 0.05 * (i % 10)) for i, k in enumerate(names)},
    "logDamping": {k: torch.tensor(math.log(0.1) + 0.02 * (i % 10)) for i, k in enumerate(names)},
    "power": {k: torch.tensor(0.7 - 0.005 * (i % 10)) for i, k in enumerate(names)},
}


def step(gradients, of=settings):
    out = {}
    for k in names:
        factor = of["logSize"][k].exp() * (diagonal[k] + of["logDamping"][k].exp()) ** -of["power"][k]
        g = gradients[k]
        out[k] = (left[k] @ (factor * (left[k].T @ flat(g) @ right[k])) @ right[k].T).reshape(g.shape) if is_matrix(k) else factor * g
    return out


PEOPLE = [list(range(0, 4)), list(range(4, 9))]  # two people, by image of `forget`
targets = batch["forget.targets"]
reference = 0.25 + 0.5 * targets  # what a model that never saw them is taken to say
answers = lambda x: vit(theta, x).sigmoid().detach()
bce = lambda logits, due: F.binary_cross_entropy_with_logits(logits, due)
RETAIN, VAL, ROUNDS, LAST = 2.0, 1.0, 2, 0.1

rows = [{k: torch.zeros_like(theta[k]) for k in names} for _ in PEOPLE]
moved = lambda: {k: theta[k] - v for k, v in step({k: rows[0][k] + rows[1][k] for k in names}).items()}
expected = {}
for t in range(ROUNDS):
    at, share = moved(), 1 - (1 - LAST) * t / ROUNDS
    held = gradient(at, lambda p: RETAIN * bce(vit(p, train), answers(train)) + VAL * bce(vit(p, val), answers(val)))
    own = [gradient(at, lambda p, i=i: bce(vit(p, forget[i]), reference[i])) for i in PEOPLE]
    if t == 0:
        for k, v in step(own[0]).items():
            expected["step." + k] = v
    for row, g in zip(rows, own):
        for k in names:
            row[k] = row[k] + share * (g[k] + held[k])

total = {k: rows[0][k] + rows[1][k] for k in names}
for k in names:
    expected["row." + k] = rows[0][k]
    expected["theta." + k] = moved()[k]

learned = {p: {k: v.clone().requires_grad_(True) for k, v in of.items()} for p, of in settings.items()}
at = {k: theta[k] - v for k, v in step(total, learned).items()}
loss = bce(vit(at, forget), reference) + RETAIN * bce(vit(at, train), answers(train)) + VAL * bce(vit(at, val), answers(val))
expected["objective"] = loss.reshape(1)
leaves = [(p, k) for p in learned for k in names]
for (p, k), g in zip(leaves, torch.autograd.grad(loss, [learned[p][k] for p, k in leaves])):
    expected[f"{p}.{k}"] = g.reshape(1)

kept = ("objective", "logSize.", "logDamping.", "power.")
write("memory_expected", {k: v for k, v in expected.items() if k.startswith(kept) or k.split(".", 1)[1].startswith(SOME)})
print("objective", loss.item())
