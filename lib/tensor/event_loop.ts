import { lookForSignal } from "../files/signal_look.ts";

/** Milliseconds of computing after which the event loop gets a turn. */
const SPAN = 100;

let last = performance.now();

/**
 * Gives the event loop a turn where it has had none for a while. Without it a loop whose promises are
 * all settled keeps signals, timers and messages waiting to its end.
 */
export async function eventLoopTurn(): Promise<void> {
  if (performance.now() - last < SPAN) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  last = performance.now();
}

/** The part of a tfjs backend by which results come to the host. */
interface ReadingBackend<Id, Values> {
  read(id: Id): Promise<Values>;
}

/**
 * Makes a backend whose results are there at once, as tfjs-wasm's are, give the event loop its turns:
 * every loop that reads what it computes then lets signals in.
 */
export function turnOnReads<Id, Values>(backend: ReadingBackend<Id, Values>): void {
  const read = backend.read.bind(backend);
  backend.read = async (id) => {
    // First, since the tensor may be gone after the turn.
    const values = await read(id);
    await eventLoopTurn();
    return values;
  };
}

/** The part of tfjs-wasm's backend by which kernels come to the memory of what they compute. */
interface ComputingBackend<Output, Shape extends unknown[]> {
  makeOutput(...shape: Shape): Output;
}

/**
 * Makes a backend that computes on this thread look for signals at every kernel: a pass of many, forward
 * and backward, holds the thread for seconds and has no read within it.
 */
export function lookAtKernels<Output, Shape extends unknown[]>(
  backend: ComputingBackend<Output, Shape>,
): void {
  const makeOutput = backend.makeOutput.bind(backend);
  backend.makeOutput = (...shape) => {
    lookForSignal();
    return makeOutput(...shape);
  };
}
