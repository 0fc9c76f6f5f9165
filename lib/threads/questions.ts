import { receiveError, sendError, type SentError } from "./sent_error.ts";

/** A question on its way to a worker; without a number nobody waits for an answer. */
interface Asked<Question> {
  readonly id: number | null;
  readonly question: Question;
}
/** Its answer on the way back. */
type Answered<Answer> = { readonly id: number } & ({ readonly answer: Answer } | SentError);

/** A worker that answers questions, several at a time and in any order. */
export interface Questions<Question> extends Disposable {
  /**
   * @param transfer buffers that the worker takes over
   * @returns the answer, of the kind that the worker gives to such a question
   * @throws {LetheError} what the worker refused; Error what it met with otherwise
   */
  ask<Answer>(question: Question, transfer?: Transferable[]): Promise<Answer>;
  /** Tells the worker something that it does not answer. */
  tell(message: Question): void;
}

/**
 * Numbers the questions to a worker, which answers with {@link answerQuestions}, and hands out its
 * answers.
 */
export function questionsTo<Question>(worker: Worker): Questions<Question> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let next = 0;
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<Answered<unknown>>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("answer" in data) asked?.resolve(data.answer);
    else asked?.reject(receiveError(data));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(new Error(event.message));
  };
  const send = (message: Asked<Question>, transfer: Transferable[] = []) =>
    worker.postMessage(message, transfer);
  return {
    ask<Answer>(question: Question, transfer?: Transferable[]): Promise<Answer> {
      const asked = Promise.withResolvers<unknown>();
      const id = next++;
      waiting.set(id, asked);
      send({ id, question }, transfer);
      return asked.promise as Promise<Answer>;
    },
    tell: (question) => send({ id: null, question }),
    [Symbol.dispose]() {
      worker.terminate();
      fail(new Error("the thread was closed"));
    },
  };
}

/**
 * In a worker of that name: answers what {@link questionsTo} asks. In any other thread: nothing, so that
 * the module that starts a worker can be the worker's own.
 *
 * @param name what the worker was started as
 * @param answer what it throws goes back as the answer
 * @param transfer the buffers of an answer that the asking thread takes over
 */
export function answerQuestions<Question, Answer>(
  name: string,
  answer: (question: Question) => Answer | Promise<Answer>,
  transfer: (answer: Answer) => Transferable[] = () => [],
): void {
  const self = globalThis as unknown as {
    name?: string;
    onmessage: (event: MessageEvent<Asked<Question>>) => void;
    postMessage(answered: Answered<Answer>, transfer: Transferable[]): void;
  };
  if (self.name !== name) return;
  self.onmessage = async ({ data: { id, question } }) => {
    try {
      const given = await answer(question);
      if (id !== null) self.postMessage({ id, answer: given }, transfer(given));
    } catch (error) {
      // What is wrong with something told shows when it is asked for.
      if (id !== null) self.postMessage({ id, ...sendError(error) }, []);
    }
  };
}
