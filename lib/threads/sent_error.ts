import { LetheError } from "../error.ts";

/** An error as a worker sends it: a LetheError's parts, or another error's message. */
export type SentError =
  | { readonly refused: readonly [value: string, rule: string, remedy: string] }
  | { readonly failed: string };

/** What a worker sends of an error. */
export function sendError(error: unknown): SentError {
  if (error instanceof LetheError) return { refused: [error.value, error.rule, error.remedy] };
  return { failed: error instanceof Error ? error.message : String(error) };
}

/** The error again. */
export function receiveError(sent: SentError): Error {
  return "refused" in sent ? new LetheError(...sent.refused) : new Error(sent.failed);
}
