/**
 * A failure that the user can mend. Its message is one line that states the value, the rule and the
 * remedy: `requests/a.jpg is a symbolic link; Lethe reads plain files only: copy the image itself`.
 */
export class LetheError extends Error {
  /** As people call it. */
  override readonly name: string = "LetheError";
  /** Exit code of a command that ends with this error: 1 failed, 2 wrong usage, 3 audit failed. */
  readonly exitCode: 1 | 2 | 3;

  /**
   * Says what is wrong.
   *
   * @param value what was found, naming the file or option
   * @param rule what holds instead
   * @param remedy what the user can do
   * @param options `exitCode` (default 1) and the underlying `cause`
   */
  constructor(
    readonly value: string,
    readonly rule: string,
    readonly remedy: string,
    options: { exitCode?: 1 | 2 | 3; cause?: unknown } = {},
  ) {
    super(`${value}; ${rule}: ${remedy}`, { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/**
 * A failure of usage: an unknown option, a missing argument, an input that is not there or is another kind
 * of thing than its option takes. Exit code 2.
 */
export class UsageError extends LetheError {
  /** As people call it. */
  override readonly name = "UsageError";

  /** Says what is wrong. @param value what was found @param rule what holds @param remedy what to do */
  constructor(value: string, rule: string, remedy: string, options: { cause?: unknown } = {}) {
    super(value, rule, remedy, { ...options, exitCode: 2 });
  }
}

/** What went wrong beneath, in a line: the first of an error's message. */
export function firstLine(cause: unknown): string {
  return cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
}
