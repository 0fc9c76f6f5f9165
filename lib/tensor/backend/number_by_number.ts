import type { TensorInfo } from "@tensorflow/tfjs";
import type { TfjsProgram } from "./tfjs_backend.ts";

/** tfjs's programs that give a number of the result for each number, wherever it stands. */
const NUMBER_BY_NUMBER = /^(unary_\d+|binary_\d+_[14],[14]|fill)$/;
/** Those that give one for each run of numbers that follow each other, whatever the shape. */
const RUN_BY_RUN = /^reduce_[a-z]+$/;

/** A program on lists, in place of one on shapes. */
interface OnLists<P> {
  readonly program: P;
  readonly inputs: TensorInfo[];
  /** Of the result. */
  readonly shape: [number];
}

/**
 * A program of tfjs that goes number by number, or run by run, on lists: tfjs compiles its shader anew for
 * tensors of each rank, which a card's driver takes ten milliseconds for. The numbers are the same.
 *
 * @returns null where it must know where a number stands: other programs, other broadcasts than a scalar's
 */
export function onLists<P extends TfjsProgram>(
  program: P,
  inputs: readonly TensorInfo[],
): OnLists<P> | null {
  const { shaderKey, outputShape } = program;
  const asList = (info: TensorInfo) => ({ ...info, shape: [sizeOf(info.shape)] });
  if (RUN_BY_RUN.test(shaderKey)) {
    if (outputShape.length !== 1 || inputs[0].shape.length === 1) return null;
    return { program, inputs: inputs.map(asList), shape: [outputShape[0]] };
  }
  if (outputShape.length === 1 || !NUMBER_BY_NUMBER.test(shaderKey)) return null;
  const isWhole = ({ shape }: TensorInfo) =>
    shape.length === outputShape.length && shape.every((n, axis) => n === outputShape[axis]);
  if (!inputs.every((input) => input.shape.length === 0 || isWhole(input))) return null;
  const shape: [number] = [sizeOf(outputShape)];
  const flat = Object.assign(Object.create(Object.getPrototypeOf(program)), program, {
    outputShape: shape,
    dispatchLayout: { x: [0] },
  });
  return {
    program: flat,
    inputs: inputs.map((input) => isWhole(input) ? asList(input) : input),
    shape,
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
