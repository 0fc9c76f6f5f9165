import { finishBeforeExit, tellFinishing } from "../files/finish_before_exit.ts";
import { receiveError, sendError, type SentError } from "./sent_error.ts";

/** What a worker says of an order: how far it is, and how it ended. */
type Said<Progress> =
  | { readonly progress: Progress }
  | { readonly notice: string }
  | { readonly finishing: boolean }
  | { readonly done: true }
  | SentError;

/**
 * Gives a worker one order that takes long; it follows it with {@link followOrders}. What the worker has
 * begun to finish (`finishBeforeExit`), this process finishes before it ends by a signal.
 *
 * @throws {LetheError} what the worker refused; Error what it met with otherwise
 */
export function giveOrder<Order, Progress>(
  worker: Worker,
  order: Order,
  onProgress?: (progress: Progress) => void,
  onNotice?: (line: string) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let release = () => {};
  const hold = (busy: boolean) => {
    release();
    if (!busy) return;
    const work = Promise.withResolvers<void>();
    release = work.resolve;
    void finishBeforeExit(() => work.promise);
  };
  worker.onmessage = ({ data }: MessageEvent<Said<Progress>>) => {
    if ("progress" in data) return onProgress?.(data.progress);
    if ("notice" in data) return onNotice?.(data.notice);
    if ("finishing" in data) return hold(data.finishing);
    hold(false);
    if ("done" in data) resolve();
    else reject(receiveError(data));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    hold(false);
    reject(new Error(event.message));
  };
  worker.postMessage(order);
  return promise;
}

/** Least time between two messages of progress, ms: a step of a small model takes less. */
const TELL_AFTER = 250;

/**
 * In a worker of that name: follows the orders that {@link giveOrder} gives, one at a time. In any other
 * thread: nothing, so that the module that starts a worker can be the worker's own.
 *
 * @param name what the worker was started as
 * @param follow tells of its progress as often as it likes; the last message is always sent. A line that it
 *   notices is sent at once
 */
export function followOrders<Order, Progress extends { done: number; total: number }>(
  name: string,
  follow: (
    order: Order,
    onProgress: (progress: Progress) => void,
    onNotice: (line: string) => void,
  ) => Promise<void>,
): void {
  const self = globalThis as unknown as {
    name?: string;
    onmessage: (event: MessageEvent<Order>) => void;
    postMessage(said: Said<Progress>): void;
  };
  if (self.name !== name) return;
  tellFinishing((finishing) => self.postMessage({ finishing }));
  let last = 0;
  self.onmessage = async ({ data }) => {
    try {
      await follow(data, (progress) => {
        if (performance.now() - last < TELL_AFTER && progress.done < progress.total) return;
        last = performance.now();
        self.postMessage({ progress });
      }, (notice) => self.postMessage({ notice }));
      self.postMessage({ done: true });
    } catch (error) {
      self.postMessage(sendError(error));
    }
  };
}
