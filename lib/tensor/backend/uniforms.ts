import type { TensorInfo } from "@tensorflow/tfjs";
import type { ProgramUniform, TfjsProgram } from "./tfjs_backend.ts";

/** Row strides of a shape but the last, which is one, as tfjs's shaders expect them. */
function stridesOf(shape: readonly number[]): number[] {
  if (shape.length < 2) return [];
  const strides: number[] = [shape.at(-1)!];
  for (let axis = shape.length - 2; axis > 0; axis--) strides.unshift(strides[0] * shape[axis]);
  return strides;
}

/**
 * The numbers of a tfjs program in the order of its shader's struct: NaN, infinity, shape and strides of
 * inputs and output, its size, and what the program defines itself.
 */
export function uniformsOf(
  program: TfjsProgram,
  output: TensorInfo,
  inputs: readonly TensorInfo[],
  own: ProgramUniform = [],
): ProgramUniform {
  const shapes = [...inputs, output].flatMap(({ shape }) => [
    { type: "int32", data: shape },
    { type: "int32", data: stridesOf(shape) },
  ]);
  const count = program.outputShape.reduce((a, b) => a * b, 1) / (program.outputComponent ?? 1);
  return [
    { type: "float32", data: [NaN] },
    { type: "float32", data: [Infinity] },
    ...shapes,
    ...program.size ? [{ type: "int32", data: [count] }] : [],
    ...own,
  ];
}

/** WGSL's alignment of a field of so many numbers, bytes. */
const ALIGNMENT = [4, 4, 8, 16, 16, 16, 16];

/** Lays numbers out as WGSL lays out a struct of them; an empty field counts as a one. */
export function packUniforms(uniforms: ProgramUniform): ArrayBuffer {
  const fields = uniforms.map(({ type, data }) => ({ type, data: data.length ? data : [1] }));
  let [end, largest] = [0, 4];
  let before = 0;
  const offsets = fields.map(({ data: { length } }) => {
    // tfjs aligns what follows a struct of five or six numbers as it does these.
    const alignment = before > 4 ? 16 : ALIGNMENT[length];
    before = length;
    largest = Math.max(largest, alignment);
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + 4 * length;
    return offset;
  });
  const packed = new ArrayBuffer(Math.ceil(end / largest) * largest);
  fields.forEach(({ type, data }, i) => {
    const View = type === "float32" ? Float32Array : type === "uint32" ? Uint32Array : Int32Array;
    new View(packed, offsets[i], data.length).set(data);
  });
  return packed;
}
