import { bytesField, floatField, integerField, joined, type Pieces } from "./protobuf.ts";

/** Operators as opset 17 defines them. */
const OPSET = 17;
/** The file format of ONNX 1.12, whose operators they are. */
const IR_VERSION = 8;
const [FLOAT, INT64] = [1, 7];

/** An attribute of a node: a whole number, whole numbers, or a float. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** A dimension: a size, or the name of one that may be anything. */
export type Dimension = number | string;

/**
 * A graph in the making: nodes in the order in which they compute, each with one output. The numbers of
 * the fields are onnx.proto's.
 */
export class OnnxGraph {
  #nodes: Pieces[] = [];
  #initializers: Pieces[] = [];
  #inputs: Pieces[] = [];
  #outputs: Pieces[] = [];

  /** A float32 input. @returns its name */
  input(name: string, shape: readonly Dimension[]): string {
    this.#inputs.push(bytesField(11, valueInfo(name, shape)));
    return name;
  }

  /** Float32 weights. @returns their name */
  weight(name: string, values: Float32Array, shape: readonly number[]): string {
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#initializer(name, FLOAT, raw, shape);
  }

  /** Whole numbers, such as a shape. @returns their name */
  integers(name: string, values: readonly number[], shape = [values.length]): string {
    const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#initializer(name, INT64, raw, shape);
  }

  /**
   * An operator.
   *
   * @param name of its output, none twice
   * @returns the name
   */
  node(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.#nodes.push(bytesField(1, [
      ...inputs.flatMap((input) => bytesField(1, input)),
      ...bytesField(2, name),
      ...bytesField(3, name),
      ...bytesField(4, operator),
      ...Object.entries(attributes).flatMap(([key, value]) => bytesField(5, attribute(key, value))),
    ]));
    return name;
  }

  /** Makes a node's output one of the graph's. */
  output(name: string, shape: readonly Dimension[]): void {
    this.#outputs.push(bytesField(12, valueInfo(name, shape)));
  }

  /** The file. @param metadata for whoever serves it */
  encode(name: string, metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
    const graph = [
      ...this.#nodes.flat(),
      ...bytesField(2, name),
      ...this.#initializers.flat(),
      ...this.#inputs.flat(),
      ...this.#outputs.flat(),
    ];
    return joined([
      ...integerField(1, IR_VERSION),
      ...bytesField(2, "lethe"),
      ...bytesField(7, graph),
      ...bytesField(8, [...bytesField(1, ""), ...integerField(2, OPSET)]),
      ...Object.entries(metadata).flatMap(([key, value]) =>
        bytesField(14, [...bytesField(1, key), ...bytesField(2, value)])
      ),
    ]);
  }

  #initializer(name: string, type: number, raw: Uint8Array, shape: readonly number[]): string {
    this.#initializers.push(bytesField(5, [
      ...shape.flatMap((size) => integerField(1, size)),
      ...integerField(2, type),
      ...bytesField(8, name),
      ...bytesField(9, raw),
    ]));
    return name;
  }
}

function valueInfo(name: string, shape: readonly Dimension[]): Pieces {
  const dimensions = shape.flatMap((size) =>
    bytesField(1, typeof size === "number" ? integerField(1, size) : bytesField(2, size))
  );
  const tensor = [...integerField(1, FLOAT), ...bytesField(2, dimensions)];
  return [...bytesField(1, name), ...bytesField(2, bytesField(1, tensor))];
}

function attribute(name: string, value: Attribute): Pieces {
  const type = (number: number) => integerField(20, number);
  if (typeof value === "number") {
    return [...bytesField(1, name), ...integerField(3, value), ...type(2)];
  }
  if ("float" in value) return [...bytesField(1, name), ...floatField(2, value.float), ...type(1)];
  return [...bytesField(1, name), ...value.flatMap((each) => integerField(8, each)), ...type(7)];
}
