import type { TensorInfo } from "@tensorflow/tfjs";
import type { TfjsProgram } from "./tfjs_backend.ts";

/** tfjs's programs that give a number of the result for each number, wherever it stands. */
const NUMBER_BY_NUMBER = /^(unary_\d+|binary_\d+_[14],[14]|fill)$/;

/**
 * A program of tfjs that goes number by number, on lists: tfjs compiles its shader anew for tensors of
 * each rank, which a card's driver takes ten milliseconds for. The numbers are the same.
 *
 * @returns null where it must know where a number stands: other programs, other broadcasts than a scalar's
 */
export function onLists<P extends TfjsProgram>(
  program: P,
  inputs: readonly TensorInfo[],
): { program: P; inputs: TensorInfo[]; shape: [number] } | null {
  const { shaderKey, outputShape } = program;
  if (outputShape.length < 2 || !NUMBER_BY_NUMBER.test(shaderKey)) return null;
  const isWhole = ({ shape }: TensorInfo) =>
    shape.length === outputShape.length && shape.every((n, axis) => n === outputShape[axis]);
  if (!inputs.every((input) => input.shape.length === 0 || isWhole(input))) return null;
  const shape: [number] = [outputShape.reduce((a, b) => a * b, 1)];
  const flat = Object.assign(Object.create(Object.getPrototypeOf(program)), program, {
    outputShape: shape,
    dispatchLayout: { x: [0] },
  });
  return {
    program: flat,
    inputs: inputs.map((input) => input.shape.length === 0 ? input : { ...input, shape }),
    shape,
  };
}
