import { assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { adamW, ADAMW_DEFAULTS, type AdamWSettings } from "../../lib/tensor/optimisers/adamw.ts";
import type { Optimiser } from "../../lib/tensor/optimisers/optimiser.ts";
import { sgd, type SgdSettings } from "../../lib/tensor/optimisers/sgd.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";
import { onEachDevice } from "./on_each_device.ts";

/** Sizes that are no multiple of four, since the kernels read four floats at a time. */
const SHAPES = { "fc.weight": [3, 5], "fc.bias": [7] } as const;
type Name = keyof typeof SHAPES;
const NAMES = Object.keys(SHAPES) as Name[];

/** One per step. The gradients shrink, so that AMSGrad's maximum is not the latest moment. */
const LEARNING_RATES = [0.1, 0.3, 0.2, 0.05, 0.01];
const GRADIENT_SCALES = [3, 1, 0.1, 0.01, 1];

type Host = Record<Name, Float32Array>;

function drawHost(stream: string, scale = 1): Host {
  const random = new Random(11, stream);
  const draw = (name: Name) =>
    Float32Array.from(
      { length: SHAPES[name].reduce<number>((a, b) => a * b, 1) },
      // A gradient of zero leaves epsilon alone in AdamW's denominator.
      (_, i) => i === 2 && stream !== "start" ? 0 : scale * random.normal(),
    );
  return { "fc.weight": draw("fc.weight"), "fc.bias": draw("fc.bias") };
}

const START = drawHost("start");
const GRADIENTS = GRADIENT_SCALES.map((scale, step) => drawHost(`gradient ${step}`, scale));

const upload = (host: Host): Weights =>
  Object.fromEntries(NAMES.map((name) => [name, tf.tensor(host[name], [...SHAPES[name]])]));

async function download(weights: Weights): Promise<Host> {
  const read = async (name: Name) => await weights[name].data() as Float32Array;
  return { "fc.weight": await read("fc.weight"), "fc.bias": await read("fc.bias") };
}

/** Steps `from` to the end; takes `weights` over. */
function run(optimiser: Optimiser, weights: Weights, from = 0, to = LEARNING_RATES.length) {
  for (let step = from; step < to; step++) {
    const gradients = upload(GRADIENTS[step]);
    weights = optimiser.step(weights, gradients, LEARNING_RATES[step]);
    disposeWeights(gradients);
  }
  return weights;
}

/** torch.optim.AdamW from its documentation, one number at a time in float64. */
function adamWInFloat64(settings: AdamWSettings, name: Name, i: number): number {
  const { beta1, beta2, epsilon, amsgrad } = settings;
  const decay = settings.decays?.(name) === false ? 0 : settings.weightDecay;
  let [theta, m, v, largest] = [START[name][i], 0, 0, 0];
  LEARNING_RATES.forEach((rate, step) => {
    const g = GRADIENTS[step][name][i];
    theta -= rate * decay * theta;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    largest = Math.max(largest, v);
    const first = m / (1 - beta1 ** (step + 1));
    const second = (amsgrad ? largest : v) / (1 - beta2 ** (step + 1));
    theta -= rate * first / (Math.sqrt(second) + epsilon);
  });
  return theta;
}

/** torch.optim.SGD likewise. */
function sgdInFloat64({ momentum, weightDecay }: SgdSettings, name: Name, i: number): number {
  let [theta, velocity] = [START[name][i], 0];
  LEARNING_RATES.forEach((rate, step) => {
    const g = GRADIENTS[step][name][i] + weightDecay * theta;
    velocity = step === 0 ? g : momentum * velocity + g;
    theta -= rate * velocity;
  });
  return theta;
}

/** beta2 0.9: at 0.999 five steps could not tell AMSGrad's maximum from the plain moment. */
const ADAMW = { ...ADAMW_DEFAULTS, beta2: 0.9 };
const DECAYING = { weightDecay: 0.1, decays: (name: string) => name.endsWith(".weight") };
const CASES: [string, () => Optimiser, (name: Name, i: number) => number][] = [
  ...([
    ["adamW", ADAMW],
    ["adamW with its default constants", ADAMW_DEFAULTS],
    ["adamW with AMSGrad", { ...ADAMW, amsgrad: true }],
    ["adamW with weight decay on weights alone", { ...ADAMW, ...DECAYING }],
    ["adamW with both", { ...ADAMW, ...DECAYING, amsgrad: true }],
  ] as [string, AdamWSettings][]).map(([title, settings]): typeof CASES[number] => [
    title,
    () => adamW(settings),
    (name, i) => adamWInFloat64(settings, name, i),
  ]),
  ...([
    ["sgd", { momentum: 0, weightDecay: 0 }],
    ["sgd with momentum", { momentum: 0.9, weightDecay: 0 }],
    ["sgd with momentum and weight decay", { momentum: 0.9, weightDecay: 0.1 }],
  ] as [string, SgdSettings][]).map(([title, settings]): typeof CASES[number] => [
    title,
    () => sgd(settings),
    (name, i) => sgdInFloat64(settings, name, i),
  ]),
];

/** Weights stay below 8, whose float32 spacing is 5e-7; five steps of a few roundings each. */
const TOLERANCE = 1e-5;

for (const [title, make, expected] of CASES) {
  onEachDevice(`${title} takes the steps that float64 arithmetic takes`, async () => {
    const optimiser = make();
    const weights = run(optimiser, upload(START));
    const host = await download(weights);
    for (const name of NAMES) {
      host[name].forEach((value, i) => {
        assertLess(Math.abs(value - expected(name, i)), TOLERANCE, `${name}[${i}]: ${value}`);
      });
    }
    assertEquals(optimiser.steps, LEARNING_RATES.length);
    disposeWeights(weights);
    optimiser.dispose();
  });

  onEachDevice(`${title}, restored after two steps, ends with the same bits`, async () => {
    const whole = make();
    const uninterrupted = run(whole, upload(START));

    const stopped = make();
    const halfway = run(stopped, upload(START), 0, 2);
    const state = mapWeights(stopped.state(), tf.clone);
    const going = make();
    going.restore(state, stopped.steps);
    stopped.dispose();
    const resumed = run(going, halfway, 2);

    assertEquals(await download(resumed), await download(uninterrupted));
    disposeWeights(resumed);
    disposeWeights(uninterrupted);
    going.dispose();
    whole.dispose();
  });
}

onEachDevice("adamW frees the moments it had when others are restored", () => {
  const optimiser = adamW({ ...ADAMW_DEFAULTS, amsgrad: true });
  disposeWeights(run(optimiser, upload(START), 0, 1));
  optimiser.restore({}, 0);
  assertEquals(optimiser.steps, 0);
  assertEquals(optimiser.state(), {});
  optimiser.dispose();
  return Promise.resolve();
});
