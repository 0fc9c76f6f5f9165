import * as tf from "@tensorflow/tfjs";
import { isLowRank, type MemoryRow, type RowTensor } from "../../model/kit/memory_row.ts";
import type { Weight } from "../../model/safetensors.ts";
import { matMul } from "../../tensor/mat_mul.ts";
import type { LetheBackend } from "../../tensor/backend/lethe_backend.ts";
import { sumOf } from "../../tensor/pieces/sum_of.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { flatten } from "./flat.ts";
import { expand, truncate } from "./low_rank.ts";

/**
 * A preconditioned step as a row keeps it: matrices at a rank, the rest whole. The rank is cut here, after
 * the preconditioner: cut before, it would keep directions that the preconditioner shrinks.
 *
 * @param step by the names of theta
 * @param rank null to keep all
 */
export function rowStep(
  step: ReadonlyMap<string, Weight>,
  rank: number | null,
): Map<string, RowTensor> {
  return new Map([...step].map(([name, { shape, values }]): [string, RowTensor] => {
    const whole = values as Float32Array;
    if (rank === null || !isLowRank(name, shape)) return [name, { whole }];
    const [rows, columns] = [shape[0], whole.length / shape[0]];
    const { left, right } = truncate(whole, rows, columns, rank);
    return [name, { left, right }];
  }));
}

/** A row times a scale. */
export function scaledRow({ step, centroid }: MemoryRow, scale: number): MemoryRow {
  const scaled = (values: Float32Array) => {
    // By index: a callback takes ten times as long.
    const result = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) result[i] = values[i] * scale;
    return result;
  };
  return {
    centroid,
    step: new Map([...step].map(([name, tensor]) => [
      name,
      "whole" in tensor
        ? { whole: scaled(tensor.whole) }
        : { left: scaled(tensor.left), right: tensor.right },
    ])),
  };
}

/**
 * theta_u = theta - sum_p row_p; the order of people and how they are dealt into requests make no
 * difference but rounding.
 *
 * @returns the caller disposes it
 */
export function subtractRows(theta: Weights, rows: readonly MemoryRow[]): Weights {
  const backend = activeWebgpu();
  if (backend && rows.every(isWhole)) return subtractWhole(backend, theta, rows);
  return mapWeights(theta, (tensor, name) => {
    let moved = tensor;
    for (const { step } of rows) {
      const own = step.get(name);
      // Rows may be kept of some layers only.
      if (own === undefined) continue;
      const row = "whole" in own ? tf.tensor(own.whole, tensor.shape) : expanded(own, tensor.shape);
      moved = tf.sub(moved, row);
    }
    return moved === tensor ? tf.clone(tensor) : moved;
  });
}

/** Bytes of weights that rows are taken from at a time. */
const TOGETHER = 32 * 2 ** 20;

/** Whether no tensor of a row is kept at a rank. */
function isWhole({ step }: MemoryRow): boolean {
  return [...step.values()].every((tensor) => "whole" in tensor);
}

/**
 * As {@link subtractRows}, to the same bits: a program per row and some megabytes of weights, not one per
 * row and tensor.
 */
function subtractWhole(
  backend: LetheBackend,
  theta: Weights,
  rows: readonly MemoryRow[],
): Weights {
  const after: Record<string, tf.Tensor> = {};
  const minus = tf.tensor1d([-1]);
  for (const names of groupsOf(theta)) {
    const some = names.filter((name) => rows.some(({ step }) => step.has(name)));
    if (some.length === 0) continue;
    const initial = Object.fromEntries(some.map((name) => [name, theta[name]]));
    const moved = sumOf(backend, initial, false);
    for (const { step } of rows) {
      const values = some.flatMap((name): [string, Float32Array][] => {
        const own = step.get(name);
        return own && "whole" in own ? [[name, own.whole]] : [];
      });
      moved.addValues(new Map(values), minus);
    }
    Object.assign(after, moved.copy());
    moved.dispose();
  }
  minus.dispose();
  // Rows may be kept of some layers only.
  return mapWeights(theta, (tensor, name) => after[name] ?? tf.clone(tensor));
}

/** Names of weights that go together: as many as take {@link TOGETHER} bytes, or one that takes more. */
function groupsOf(theta: Weights): string[][] {
  const groups: string[][] = [];
  let bytes = TOGETHER;
  for (const [name, { size }] of Object.entries(theta)) {
    if (bytes + 4 * size > TOGETHER) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(name);
    bytes += 4 * size;
  }
  return groups;
}

/**
 * What rows take from the weights, -sum_p row_p, flat as `flatten` lays theta's names out. Rows that are
 * kept whole are added up on the host, where they are.
 */
export async function takenByRows(
  theta: Weights,
  rows: readonly MemoryRow[],
): Promise<Float32Array> {
  if (rows.every(isWhole)) {
    const names = Object.keys(theta).sort();
    const taken = new Float32Array(names.reduce((sum, name) => sum + theta[name].size, 0));
    let at = 0;
    for (const name of names) {
      for (const { step } of rows) {
        const { whole } = step.get(name) as { whole: Float32Array } | undefined ?? { whole: [] };
        for (let i = 0; i < whole.length; i++) taken[at + i] -= whole[i];
      }
      at += theta[name].size;
    }
    return taken;
  }
  const nothing = mapWeights(theta, tf.zerosLike);
  const taken = subtractRows(nothing, rows);
  const values = await flatten(taken);
  for (const weights of [nothing, taken]) disposeWeights(weights);
  return values;
}

function expanded(
  { left, right }: { readonly left: Float32Array; readonly right: Float32Array },
  shape: number[],
): tf.Tensor {
  const rows = shape[0];
  const columns = shape.slice(1).reduce((product, n) => product * n, 1);
  const rank = left.length / rows;
  const product = matMul(
    tf.tensor2d(left, [rows, rank]),
    tf.tensor2d(right, [columns, rank]),
    { transposeB: true },
  );
  return tf.reshape(product, shape);
}

/**
 * A step that lies flat, by the names of theta.
 *
 * @param values as `flatten` lays theta's names out
 * @param shapes of theta
 */
export function flatStep(
  values: Float32Array,
  shapes: ReadonlyMap<string, readonly number[]>,
): Map<string, Weight> {
  let at = 0;
  return new Map(
    [...shapes.keys()].sort().map((name): [string, Weight] => {
      const shape = [...shapes.get(name)!];
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, { dtype: "F32", shape, values: values.slice(at, at += size) }];
    }),
  );
}

/** A row's step, its matrices whole. */
export function expandedStep(
  step: ReadonlyMap<string, RowTensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
): Map<string, Weight> {
  return new Map([...step].map(([name, tensor]): [string, Weight] => {
    const shape = [...shapes.get(name)!];
    const columns = shape.slice(1).reduce((product, n) => product * n, 1);
    const values = "whole" in tensor ? tensor.whole : expand(tensor, shape[0], columns);
    return [name, { dtype: "F32", shape, values }];
  }));
}
