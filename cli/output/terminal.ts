/** Where a command prints: results to standard output, everything else to standard error. */
export interface Terminal {
  /** Prints text of the result. */
  print(text: string): void;
  /** Prints text about the run: adapter, notices, progress, errors. */
  note(text: string): void;
  /** Replaces the unfinished line on a terminal; elsewhere it does nothing. */
  rewrite(line: string): void;
  /** Whether `rewrite` can be seen. */
  readonly interactive: boolean;
  /** Milliseconds from any start, for rates. */
  now(): number;
}

/** What a terminal needs of a stream. */
export interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

const ERASE_LINE = "\r\x1b[K";

/**
 * A terminal on two streams.
 *
 * Control characters are written as escapes: file names and labels come from strangers, and must not
 * command the reader's terminal. A reader who has gone (`| head`) stops the output, never the work.
 *
 * @param columns the width that a rewritten line is cut to, asked anew each time
 */
export function terminalOn(
  out: Stream,
  err: Stream,
  columns: () => number,
  now: () => number,
): Terminal {
  const interactive = err.isTerminal();
  let unfinished = false;
  const line = (stream: Stream, text: string) => {
    if (unfinished) write(err, ERASE_LINE);
    unfinished = false;
    write(stream, `${harmless(text)}\n`);
  };
  return {
    print: (text) => line(out, text),
    note: (text) => line(err, text),
    rewrite(text) {
      if (!interactive) return;
      // The last column stays free: a full line would wrap, and could not be taken back.
      const characters = [...harmless(text)].slice(0, Math.max(1, columns() - 1));
      write(err, ERASE_LINE + characters.join(""));
      unfinished = true;
    },
    interactive,
    now,
  };
}

/** The process's own standard streams. */
export function standardTerminal(): Terminal {
  return terminalOn(Deno.stdout, Deno.stderr, windowColumns, () => performance.now());
}

function windowColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80; // some terminals do not know their size
  }
}

const encoder = new TextEncoder();
const gone = new WeakSet<Stream>();
const moment = new Int32Array(new SharedArrayBuffer(4));

function write(stream: Stream, text: string): void {
  if (gone.has(stream)) return;
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) {
    try {
      done += stream.writeSync(bytes.subarray(done));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return void gone.add(stream);
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // A full pipe that a parent (Node, by npx) has set not to block: give its reader a moment.
      Atomics.wait(moment, 0, 0, 5);
    }
  }
}

/** Text whose control and direction characters are escaped; line breaks stay. */
function harmless(text: string): string {
  return text.replaceAll(
    /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
