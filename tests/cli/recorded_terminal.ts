import type { Terminal } from "../../cli/output/terminal.ts";

/** A terminal that remembers what was printed and whose clock the test winds by `at`. */
export interface RecordedTerminal extends Terminal {
  readonly printed: string[];
  readonly noted: string[];
  readonly rewritten: string[];
  /** The clock, milliseconds. */
  at: number;
}

/** @param interactive whether it pretends to be one that can rewrite a line */
export function recordedTerminal(interactive = false): RecordedTerminal {
  const terminal: RecordedTerminal = {
    printed: [],
    noted: [],
    rewritten: [],
    at: 0,
    interactive,
    print: (text) => void terminal.printed.push(text),
    note: (text) => void terminal.noted.push(text),
    rewrite: (line) => void terminal.rewritten.push(line),
    now: () => terminal.at,
  };
  return terminal;
}
