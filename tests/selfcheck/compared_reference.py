"""Numbers of this project's own methods to compare with, in float64: /usr/bin/python3 tests/selfcheck/compared_reference.py

Reads fixtures/golden/{config.json,model,batch,methods_batch}.safetensors and writes compared_expected.safetensors there:
the influence-function step, one step to the reference answers, and updates logged per person through three steps of
AdamW (lib/unlearn/compared/)."""
import torch
import torch.nn.functional as F
from golden_vit import SOME, gradient, read, vit, write

theta = read("model")
batch, more = read("batch"), read("methods_batch")
train, support, forget = more["train.images"], batch["support.images"], batch["forget.images"]
bce = F.binary_cross_entropy_with_logits
expected = {}


def put(prefix, tensors):
    expected.update({prefix + k: v for k, v in tensors.items() if k.startswith(SOME)})


# Influence: theta + eta (F / mean F + lambda)^-1 sum of the support images' gradients, F in batches of 8.
ETA, DAMPING = 0.01, 0.1
batches = [slice(i, i + 8) for i in range(0, len(train), 8)]
of = [gradient(theta, lambda p, b=b: bce(vit(p, train[b]), more["train.targets"][b])) for b in batches]
fisher = {k: torch.stack([g[k] ** 2 for g in of]).mean(0) for k in theta}
mean = sum(f.sum() for f in fisher.values()) / sum(f.numel() for f in fisher.values())
own = gradient(theta, lambda p: len(support) * bce(vit(p, support), batch["support.targets"]))
put("influence.theta.", {k: theta[k] + ETA * own[k] / (fisher[k] / mean + DAMPING) for k in theta})

# Reference tuning: one step of SGD, 8 retained images beside those to forget.
RATE, WEIGHT = 0.1, 2.0
reference = 0.25 + 0.5 * batch["forget.targets"]
kept = vit(theta, train[:8]).sigmoid().detach()
loss = lambda p: bce(vit(p, forget), reference) + WEIGHT * bce(vit(p, train[:8]), kept)
g = gradient(theta, loss)
expected["reference_tuning.loss"] = loss(theta).reshape(1)
put("reference_tuning.theta.", {k: theta[k] - RATE * g[k] for k in theta})

# Updates logged per person through three steps of AdamW on 8 images each; image i is person i % 3's.
LR, DECAY, B1, B2, EPS = 1e-3, 0.05, 0.9, 0.999, 1e-8
decays = lambda k: k.endswith(".weight") and "norm" not in k
p, m, v = dict(theta), {k: 0 for k in theta}, {k: 0 for k in theta}
moment = [{k: 0 for k in theta} for _ in range(3)]
update = [{k: torch.zeros_like(theta[k]) for k in theta} for _ in range(3)]
for t, b in enumerate(batches, 1):
    of = [gradient(p, lambda p, i=i: bce(vit(p, train[i : i + 1]), more["train.targets"][i : i + 1]) / 8) for i in range(b.start, b.stop)]
    for k in theta:
        g = sum(own[k] for own in of)
        m[k], v[k] = B1 * m[k] + (1 - B1) * g, B2 * v[k] + (1 - B2) * g**2
        kept = 1 - LR * DECAY if decays(k) else 1
        factor = LR / (1 - B1**t) / ((v[k] / (1 - B2**t)).sqrt() + EPS)
        p[k] = kept * p[k] - factor * m[k]
        for person in range(3):
            own = sum(of[i - b.start][k] for i in range(b.start, b.stop) if i % 3 == person)
            moment[person][k] = B1 * moment[person][k] + (1 - B1) * own
            update[person][k] = kept * update[person][k] - factor * moment[person][k]
# In the blocks some elements have next to no gradient, and AdamW divides what float32 makes of it by itself.
put("updates.", {k: u for k, u in update[0].items() if not k.startswith("blocks.")})
write("compared_expected", expected)
