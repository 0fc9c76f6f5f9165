import type * as tf from "@tensorflow/tfjs";

/** Numbers and lists that shape an op but are not differentiated (epsilon, heads, row indices). */
export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/**
 * A differentiable op: forward and backward in one function, the tangent in another.
 *
 * `forward` is recorded by tfjs's tape with the op's own backward pass (`tf.customGrad`). `jvp` is
 * the directional derivative, written in ops that are differentiable in their turn, so that one
 * ordinary gradient can be taken of a tangent (reverse over forward, .github/ARCHITECTURE.md,
 * section 3).
 */
export interface Op {
  /** As people call it. */
  readonly name: string;
  /** The derivative in one line, as a reader would check it. */
  readonly formula: string;
  /** The value, owned by the caller; inputs stay the caller's. */
  forward(inputs: readonly tf.Tensor[], attributes: Attributes): tf.Tensor;
  /**
   * The tangent along the inputs' tangents.
   *
   * @param tangents one per input; null where an input does not move
   * @param value what `forward` gave for these inputs
   * @returns the tangent of the value, owned by the caller; at least one tangent is not null
   */
  jvp(
    inputs: readonly tf.Tensor[],
    tangents: readonly (tf.Tensor | null)[],
    attributes: Attributes,
    value: tf.Tensor,
  ): tf.Tensor;
  /** Of an op made of others: the same in those, for an algebra that has to see each of them. */
  parts?<T>(algebra: Algebra<T>, inputs: readonly T[], attributes: Attributes): T;
  /**
   * Value and tangent together, where that is less work than one after the other.
   *
   * @returns both, owned by the caller besides what it has to free (a `tf.tidy` is around); null where it
   *   can't be done so, as when a gradient is being taken
   */
  dual?(
    inputs: readonly tf.Tensor[],
    tangents: readonly (tf.Tensor | null)[],
    attributes: Attributes,
  ): { readonly primal: tf.Tensor; readonly tangent: tf.Tensor } | null;
}

/**
 * What a forward pass is written over, once: plain tensors or dual numbers.
 * `T` is the number it computes with.
 */
export interface Algebra<T> {
  /** A tensor that does not move. */
  constant(tensor: tf.Tensor): T;
  /** Applies one op of the table. */
  apply(op: Op, inputs: readonly T[], attributes?: Attributes): T;
  /** Frees what `f` makes besides its result, and besides what a gradient that is being taken needs. */
  scope(f: () => T): T;
}

/** Reads a number from an op's attributes. */
export function numberOf(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw new TypeError(`attribute ${name} is not a number`);
  return value;
}

/** Sum of the terms that are there: a tangent is a sum over the inputs that move. */
export function sumOfTerms(terms: readonly (tf.Tensor | null)[]): tf.Tensor {
  const present = terms.filter((term) => term !== null);
  if (present.length === 0) throw new TypeError("a tangent needs at least one input that moves");
  return present.reduce((sum, term) => sum.add(term));
}
