import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  advance,
  type Code,
  constant,
  everyElement,
  F32,
  fours,
  get,
  I32,
  loadFour,
  loadSplat,
  set,
  splat,
  storeFour,
  storeOne,
  V128,
  type WasmFunction,
} from "./assembler.ts";
import { heapFunction } from "./heap.ts";

/** What a formula is written with: code that leaves four lanes on the stack. */
export interface FormulaParts {
  /** An element of each input. */
  readonly inputs: readonly Code[];
  /** Numbers given to each run. */
  readonly scalars: readonly Code[];
  /** A number that never changes; made once, before the loop. */
  number(value: number): Code;
  /** Computes something once that is read several times. */
  keep(value: Code): Code;
}

/** A loop over elements, in SIMD, on tfjs's own heap. */
export interface ElementLoop {
  readonly inputs: number;
  readonly outputs: number;
  readonly scalars: number;
  /** The outputs' elements, from the inputs'. */
  formula(parts: FormulaParts): Code[];
}

/** A loop's code: parameters are the count, inputs, outputs (addresses) and scalars. */
function assembleLoop(
  { inputs, outputs, scalars, formula }: ElementLoop,
): Omit<WasmFunction, "name"> {
  const pointers = Array.from({ length: inputs + outputs }, (_, i) => 1 + i);
  const firstScalar = 1 + pointers.length;
  const groups = firstScalar + scalars;
  const firstLanes = groups + 1;
  const before: number[] = [];
  let next = firstLanes;
  const local = (code: number[], value: Code): Code => {
    code.push(...value, ...set(next));
    return get(next++);
  };
  const scalar = Array.from(
    { length: scalars },
    (_, i) => local(before, [...get(firstScalar + i), ...splat]),
  );
  const numbers = new Map<number, Code>();
  const number = (value: number): Code => {
    const known = numbers.get(value) ?? local(before, fours(value));
    numbers.set(value, known);
    return known;
  };
  /** One turn on four elements, or on one that fills all lanes. */
  const turn = (load: Code, store: Code, bytes: number): Code => {
    const code: number[] = [];
    const elements = pointers.slice(0, inputs).map((at) => local(code, [...get(at), ...load]));
    const results = formula({
      inputs: elements,
      scalars: scalar,
      number,
      keep: (value) => local(code, value),
    });
    for (const [i, value] of results.entries()) {
      code.push(...get(pointers[inputs + i]), ...value, ...store);
    }
    return [...code, ...pointers.flatMap((at) => advance(at, constant(bytes)))];
  };
  const inFours = turn(loadFour(0), storeFour(0), 16);
  const oneByOne = turn(loadSplat, storeOne, 4);
  const count = 0;
  const body = [
    ...before,
    ...everyElement(get(count), groups, inFours, oneByOne),
  ];
  return {
    parameters: [...Array(firstScalar).fill(I32), ...Array(scalars).fill(F32)],
    locals: [[1, I32], [next - firstLanes, V128]],
    body,
  };
}

/**
 * Compiles a loop at its first run. The last elements, if they are no four, go through the same
 * arithmetic one by one, so that an element's result does not depend on its place.
 *
 * @returns runs the loop on views of the backend's heap of one length; outputs may not overlap inputs
 */
export function elementLoop(
  loop: ElementLoop,
): (
  backend: BackendWasm,
  inputs: readonly Float32Array[],
  outputs: readonly Float32Array[],
  scalars?: readonly number[],
) => void {
  const run = heapFunction(() => assembleLoop(loop));
  return (backend, inputs, outputs, scalars = []) => {
    const addresses = [...inputs, ...outputs].map(({ byteOffset }) => byteOffset);
    run(backend, outputs[0].length, ...addresses, ...scalars);
  };
}
