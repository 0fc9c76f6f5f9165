import type { TensorInfo } from "@tensorflow/tfjs";
import { NORMAL } from "./gelu.ts";

/**
 * What happens to an element of a product before it is stored, so that it need not be read again; each
 * tensor lies as the result does. In this order:
 */
export interface Ending {
  /** Is added: the residual connection. */
  readonly add?: TensorInfo;
  /** GELU's derivative at it is multiplied. */
  readonly slope?: TensorInfo;
  /** GELU is taken, and what it is taken of is stored here, for the backward pass. */
  readonly before?: TensorInfo | undefined;
}

/** An ending as far as the code goes. */
export type EndingKind = { readonly [name in keyof Ending]: boolean };

/** The code's part of an ending; undefined where nothing is to be done. */
export function kindOf(ending: Ending | undefined): EndingKind | undefined {
  if (!ending) return undefined;
  return { add: !!ending.add, slope: !!ending.slope, before: !!ending.before };
}

/** Tensors of an ending by their names in the code: what it reads, and what it writes. */
export function endingTensors({ add, slope, before }: Ending = {}): {
  reads: Record<string, TensorInfo>;
  writes: Record<string, TensorInfo>;
} {
  return {
    reads: { ...add ? { Add: add } : {}, ...slope ? { Slope: slope } : {} },
    writes: before ? { Before: before } : {},
  };
}

/** WGSL that stores `value` (a float or a vec4) in `result[at]`; `ZERO` is the zero of its type. */
export function store(ending: EndingKind | undefined, value: string, at: string): string {
  if (!ending) return `result[${at}] = ${value};`;
  const { add, slope, before } = ending;
  const lines = [`let at = ${at};`, `let value = ${add ? "Add[at] + " : ""}(${value});`];
  if (slope) {
    lines.push(`let x = Slope[at]; ${NORMAL} result[at] = value * (distribution + x * density);`);
  } else if (before) {
    lines.push(`Before[at] = value; let x = value; ${NORMAL} result[at] = x * distribution;`);
  } else lines.push("result[at] = value;");
  return `{ ${lines.join(" ")} }`;
}

/** WGSL of the `ZERO` that {@link store} speaks of. */
export function zero(width: 1 | 4): string {
  return `const ZERO = ${width === 4 ? "vec4<f32>(0.0)" : "0.0"};`;
}
