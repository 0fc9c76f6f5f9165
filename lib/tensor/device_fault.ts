import { LetheError } from "../error.ts";

/** What went wrong on the device; from then on its tensors hold anything. */
let fault: LetheError | null = null;
const watched = new WeakSet<GPUDevice>();
let watching = false;

const REMEDY =
  "repeat the command: what was saved is intact and it goes on from there; should the " +
  "memory be too small, lower --memory-limit";

/**
 * Notices when a WebGPU device is lost or runs out of memory. WebGPU goes on computing then, with
 * buffers that hold nothing, so the process is to end: the error is thrown where nobody waits for it
 * (`unhandledrejection`), and {@link checkDevice} throws it wherever results leave the device.
 */
export function watchDevice(device: GPUDevice): void {
  if (watched.has(device)) return;
  watched.add(device);
  watching = true;
  device.lost.then(({ message }) => raise(`the WebGPU device was lost (${message})`));
  device.addEventListener("uncapturederror", (event) => {
    const { error } = event as GPUUncapturedErrorEvent;
    raise(
      error instanceof GPUOutOfMemoryError
        ? `the WebGPU device is out of memory (${error.message})`
        : `the WebGPU device refused a command (${error.message})`,
    );
  });
}

/** @throws {LetheError} the device was lost or failed */
export function checkDevice(): void {
  if (fault) throw fault;
}

/** Milliseconds after a refused command within which a failed device reports that it is lost. */
const REPORT_DELAY = 250;

/**
 * The device's own error in place of one that it caused: a device that is lost first refuses the
 * commands under way, and reports the loss a moment later.
 */
export async function faultBehind(error: unknown): Promise<unknown> {
  if (!watching || error instanceof LetheError) return error;
  await new Promise((resolve) => setTimeout(resolve, REPORT_DELAY));
  return fault ?? error;
}

function raise(what: string): void {
  if (fault) return;
  fault = new LetheError(
    what.replaceAll(/\s+/g, " "),
    "its results cannot be trusted any more",
    REMEDY,
  );
  Promise.reject(fault);
}
