/** Where a command prints: results to `out`, everything else to `err`. */
export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** A line about the run: adapter, notices, progress. */
  note(line: string): void;
  /** Replaces the unfinished line on a terminal; elsewhere it does nothing. */
  rewrite(line: string): void;
  /** Whether `rewrite` can be seen. */
  readonly interactive: boolean;
  /** Milliseconds, for rates. */
  now(): number;
}

const encoder = new TextEncoder();

function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
}

/** The process's own standard streams. */
export function standardTerminal(): Terminal {
  let unfinished = false;
  const finish = () => {
    if (unfinished) write(Deno.stderr, "\r\x1b[K");
    unfinished = false;
  };
  return {
    print(line) {
      finish();
      write(Deno.stdout, line + "\n");
    },
    note(line) {
      finish();
      write(Deno.stderr, line + "\n");
    },
    rewrite(line) {
      if (!Deno.stderr.isTerminal()) return;
      write(Deno.stderr, `\r${line}\x1b[K`);
      unfinished = true;
    },
    interactive: Deno.stderr.isTerminal(),
    now: () => performance.now(),
  };
}
