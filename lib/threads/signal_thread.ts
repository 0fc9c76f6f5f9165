import { answerQuestions, questionsTo } from "./questions.ts";

const NAME = "lethe-signals";

/** What the thread is asked. */
interface Watch {
  readonly signals: readonly Deno.Signal[];
  /** Becomes the 1-based number of the first signal that comes. */
  readonly first: Int32Array;
}

/**
 * Has a thread of its own wait for signals: it notes them while this one computes and gets none.
 *
 * @returns looks which of them came first; null while none has
 */
export async function signalThread(
  signals: readonly Deno.Signal[],
): Promise<() => Deno.Signal | null> {
  const first = new Int32Array(new SharedArrayBuffer(4));
  const deno = { permissions: "none" } as const;
  const worker = new Worker(import.meta.url, { type: "module", name: NAME, deno });
  // It answers when it listens; where no thread can be had, signals wait for the event loop.
  await questionsTo<Watch>(worker).ask({ signals, first }).catch(() => {});
  return () => signals[Atomics.load(first, 0) - 1] ?? null;
}

answerQuestions<Watch, void>(NAME, ({ signals, first }) => {
  for (const [i, signal] of signals.entries()) {
    Deno.addSignalListener(signal, () => void Atomics.compareExchange(first, 0, 0, i + 1));
  }
});
