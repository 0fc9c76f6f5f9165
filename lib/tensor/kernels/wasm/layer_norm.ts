import type { TensorInfo } from "@tensorflow/tfjs";
import {
  add,
  advance,
  type Code,
  constant,
  countDown,
  everyElement,
  F32,
  fours,
  get,
  I32,
  lanes,
  loadFour,
  loadSplat,
  multiply,
  set,
  splat,
  storeFour,
  storeOne,
  V128,
  type WasmFunction,
} from "./assembler.ts";
import { minus, over, plus, squareRoot, times } from "./fours.ts";
import { heapFunction } from "./heap.ts";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./kernel.ts";

/**
 * LayerNorm on tfjs's WASM backend, forward and backward, a row at a time: the row stays in the cache
 * between its sums and its result. Compositions of stock ops go through all rows for each operation.
 */

/** Tensors that a function may walk through; parameters, in this order, are their addresses. */
const WALKED = ["x", "dy", "gamma", "beta", "result", "dGamma", "dBeta"] as const;
type Walked = typeof WALKED[number];
/** The other parameters: sizes (moments is an address), 1 / d and epsilon, then locals. */
const NAMES = [
  ...WALKED,
  ...["moments", "m", "d", "share", "epsilon"],
  ...["rowBytes", "left", ...WALKED.map((name) => `${name}At`)],
  ...["mean", "rstd", "sum0", "sum1", "one0", "one1", "u", "v", "w"],
] as const;
const at = Object.fromEntries(NAMES.map((name, i) => [name, i]));
const lanesOf = (name: "mean" | "rstd" | "u" | "v" | "w") => get(at[name]);
const keep = (name: string, value: Code): Code => [...value, ...set(at[name])];

type Load = (name: Walked) => Code;
type Store = (name: Walked, value: Code) => Code;

/** Goes through a row: four elements at a time, then one by one, which fills all lanes. */
function walk(names: readonly Walked[], turn: (load: Load, store: Store, single: boolean) => Code) {
  const cursor = (name: Walked) => at[`${name}At`];
  const steps = (single: boolean): Code => {
    const load: Load = (name) => [...get(cursor(name)), ...(single ? loadSplat : loadFour(0))];
    const store: Store = (name, value) => [
      ...[...get(cursor(name)), ...value, ...(single ? storeOne : storeFour(0))],
    ];
    const bytes = constant(single ? 4 : 16);
    return [
      ...turn(load, store, single),
      ...names.flatMap((name) => advance(cursor(name), bytes)),
    ];
  };
  return [
    ...names.flatMap((name) => [...get(at[name]), ...set(cursor(name))]),
    ...everyElement(get(at.d), at.left, steps(false), steps(true)),
  ];
}

/** Means over a row of one or two values of its elements, in all lanes of `into`. */
function means(
  names: readonly Walked[],
  into: readonly ("mean" | "rstd" | "u" | "v")[],
  values: (load: Load) => { before?: Code; sums: readonly Code[] },
): Code {
  const total = (i: number): Code => {
    const sum = get(at[`sum${i}`]);
    const halves = plus(sum, [...sum, ...sum, ...lanes(2, 3, 0, 1)]);
    return [
      ...keep(`sum${i}`, halves),
      ...times(
        plus(plus(sum, [...sum, ...sum, ...lanes(1, 0, 3, 2)]), get(at[`one${i}`])),
        [...get(at.share), ...splat],
      ),
    ];
  };
  return [
    ...into.flatMap((_, i) => [...keep(`sum${i}`, fours(0)), ...keep(`one${i}`, fours(0))]),
    ...walk(names, (load, _, single) => {
      const { before = [], sums } = values(load);
      return [
        ...before,
        ...sums.flatMap((value, i) => {
          const sum = `${single ? "one" : "sum"}${i}`;
          return keep(sum, plus(get(at[sum]), value));
        }),
      ];
    }),
    ...into.flatMap((name, i) => keep(name, total(i))),
  ];
}

/** Every row: `body`, then the tensors that have rows move on to the next. */
function everyRow(moving: readonly Walked[], body: Code): Omit<WasmFunction, "name"> {
  return {
    parameters: [...Array(WALKED.length + 3).fill(I32), F32, F32],
    locals: [[2 + WALKED.length, I32], [9, V128]],
    body: [
      ...[...get(at.d), ...constant(4), ...multiply, ...set(at.rowBytes)],
      ...countDown(at.m, 1, [
        ...body,
        ...moving.flatMap((name) => advance(at[name], get(at.rowBytes))),
        ...advance(at.moments, constant(8)),
      ]),
    ],
  };
}

const [mean, rstd] = [lanesOf("mean"), lanesOf("rstd")];
const normal = (load: Load) => times(minus(load("x"), mean), rstd);

const forward = heapFunction(() =>
  everyRow(["x", "result"], [
    ...means(["x"], ["mean"], (load) => ({ sums: [load("x")] })),
    ...means(["x"], ["rstd"], (load) => ({
      before: keep("u", minus(load("x"), mean)),
      sums: [times(lanesOf("u"), lanesOf("u"))],
    })),
    ...keep("rstd", over(fours(1), squareRoot(plus(rstd, [...get(at.epsilon), ...splat])))),
    ...[...get(at.moments), ...mean, ...storeOne],
    ...[...get(at.moments), ...constant(4), ...add, ...rstd, ...storeOne],
    ...walk(["x", "gamma", "beta", "result"], (load, store) =>
      store("result", plus(times(normal(load), load("gamma")), load("beta")))),
  ])
);

/** u is mean g, v mean(g x^), for g = dy gamma; w is x^. */
const backward = heapFunction(() =>
  everyRow(["x", "dy", "result"], [
    ...keep("mean", [...get(at.moments), ...loadSplat]),
    ...keep("rstd", [...get(at.moments), ...constant(4), ...add, ...loadSplat]),
    ...means(["x", "dy", "gamma"], ["u", "v"], (load) => ({
      before: keep("w", times(load("dy"), load("gamma"))),
      sums: [lanesOf("w"), times(lanesOf("w"), normal(load))],
    })),
    ...walk(["x", "dy", "gamma", "result", "dGamma", "dBeta"], (load, store) => {
      const [x, g] = [lanesOf("w"), times(load("dy"), load("gamma"))];
      const rest = minus(minus(g, lanesOf("u")), times(x, lanesOf("v")));
      return [
        ...keep("w", normal(load)),
        ...store("result", times(rstd, rest)),
        ...store("dGamma", plus(load("dGamma"), times(load("dy"), x))),
        ...store("dBeta", plus(load("dBeta"), load("dy"))),
      ];
    }),
  ])
);

/** Addresses in the order of {@link WALKED}; those that a function does not use are 0. */
const addresses = (used: Partial<Record<Walked, Float32Array>>) =>
  WALKED.map((name) => used[name]?.byteOffset ?? 0);

/** `LetheLayerNorm`: x [m, d], gamma, beta [d] to [y [m, d], moments [m, 2]: mean and 1 / deviation]. */
function layerNorm({ backend, inputs, attrs }: WasmKernelArguments): TensorInfo[] {
  const { x, gamma, beta } = inputs;
  const [m, d] = x.shape;
  const { outputs, from, to: [result, moments] } = onHeap(backend, [x, gamma, beta], [
    x.shape,
    [m, 2],
  ]);
  const tensors = addresses({ x: from[0], gamma: from[1], beta: from[2], result });
  if (m > 0) forward(backend, ...tensors, moments.byteOffset, m, d, 1 / d, attrs.epsilon);
  return outputs;
}

/** `LetheLayerNormGrad`: dy, x [m, d], gamma [d], moments [m, 2] to [dx, dgamma, dbeta]. */
function layerNormGrad({ backend, inputs }: WasmKernelArguments): TensorInfo[] {
  const { dy, x, gamma, moments } = inputs;
  const [m, d] = x.shape;
  const shapes = [x.shape, gamma.shape, gamma.shape];
  const { outputs, from, to: [result, dGamma, dBeta] } = onHeap(
    backend,
    [x, dy, gamma, moments],
    shapes,
  );
  dGamma.fill(0);
  dBeta.fill(0);
  const tensors = addresses({ x: from[0], dy: from[1], gamma: from[2], result, dGamma, dBeta });
  if (m > 0) backward(backend, ...tensors, from[3].byteOffset, m, d, 1 / d, 0);
  return outputs;
}

/** Registers LayerNorm, forward and backward, for the WASM backend. */
export function registerWasmLayerNorm(): void {
  registerWasmKernel("LetheLayerNorm", layerNorm);
  registerWasmKernel("LetheLayerNormGrad", layerNormGrad);
}
