import { decodeToForm, type StoredForm } from "../images/stored_form.ts";
import { receiveError, sendError, type SentError } from "./worker_error.ts";

/** An image file to decode and resize. */
interface Order {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For errors. */
  readonly name: string;
  readonly form: StoredForm;
}

/** Pixels, or why there are none. */
type Answer =
  & { readonly id: number }
  & ({ readonly pixels: Uint8Array<ArrayBuffer> } | SentError);

/** Decodes images on other threads. */
export interface DecodePool extends Disposable {
  /** Orders that keep every worker busy; who asks for more at a time only holds memory. */
  readonly atOnce: number;
  /**
   * @param bytes a whole file; taken over
   * @returns [side, side, 3] bytes, as `decodeToForm` gives them
   * @throws {LetheError} the image does not decode
   */
  decode(bytes: Uint8Array<ArrayBuffer>, name: string, form: StoredForm): Promise<Uint8Array>;
}

const NAME = "lethe-decode";

/**
 * Starts workers that decode. They have no permission at all: bytes come in, pixels go out, so a
 * malicious image that took over a decoder would find itself in an empty room.
 */
export function openDecodePool(workers: number): DecodePool {
  const waiting = new Map<number, PromiseWithResolvers<Uint8Array>>();
  let next = 0;
  const threads = Array.from({ length: workers }, () => {
    const worker = new Worker(import.meta.url, {
      type: "module",
      name: NAME,
      deno: { permissions: "none" },
    });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const { resolve, reject } = waiting.get(data.id)!;
      waiting.delete(data.id);
      if ("pixels" in data) resolve(data.pixels);
      else reject(receiveError(data));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of waiting.values()) reject(new Error(event.message));
      waiting.clear();
    };
    return worker;
  });
  return {
    atOnce: 2 * workers,
    decode(bytes, name, form) {
      const order: Order = { id: next, bytes, name, form };
      const answer = Promise.withResolvers<Uint8Array>();
      waiting.set(next, answer);
      threads[next++ % threads.length].postMessage(order, [bytes.buffer]);
      return answer.promise;
    },
    [Symbol.dispose]() {
      for (const worker of threads) worker.terminate();
    },
  };
}

// In a worker this module answers orders.
const self = globalThis as unknown as {
  name?: string;
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(answer: Answer, transfer?: Transferable[]): void;
};
if (self.name === NAME) {
  self.onmessage = ({ data: { id, bytes, name, form } }) => {
    try {
      const pixels = decodeToForm(bytes, name, form) as Uint8Array<ArrayBuffer>;
      self.postMessage({ id, pixels }, [pixels.buffer]);
    } catch (error) {
      self.postMessage({ id, ...sendError(error) });
    }
  };
}
