import { assertEquals, assertThrows } from "@std/assert";
import { jsonLine } from "../../cli/output/json_line.ts";
import { type Stream, terminalOn } from "../../cli/output/terminal.ts";

/** A stream that remembers and takes at most five bytes at once. */
function stream(isTerminal: boolean, fail?: Error): Stream & { text(): string } {
  const bytes: number[] = [];
  return {
    isTerminal: () => isTerminal,
    writeSync(given) {
      if (fail) throw fail;
      bytes.push(...given.subarray(0, 5));
      return Math.min(5, given.length);
    },
    text: () => new TextDecoder().decode(new Uint8Array(bytes)),
  };
}

const on = (out: Stream, err: Stream, columns = 80) => terminalOn(out, err, () => columns, () => 0);

Deno.test("terminalOn prints results to one stream and notices to the other, whole", () => {
  const [out, err] = [stream(false), stream(false)];
  const terminal = on(out, err);
  terminal.print("a longer result");
  terminal.note("a longer notice");
  terminal.rewrite("not seen");
  assertEquals([out.text(), err.text()], ["a longer result\n", "a longer notice\n"]);
});

Deno.test("terminalOn rewrites a line in place and takes it back before the next line", () => {
  const [out, err] = [stream(true), stream(true)];
  const terminal = on(out, err);
  terminal.rewrite("1/3");
  terminal.rewrite("2/3");
  terminal.print("done");
  terminal.note("end");
  assertEquals(out.text(), "done\n");
  assertEquals(err.text(), "\r\x1b[K1/3\r\x1b[K2/3\r\x1b[Kend\n");
});

Deno.test("terminalOn cuts a rewritten line to the window, never inside a character", () => {
  const err = stream(true);
  on(stream(true), err, 4).rewrite("a😀bcd");
  assertEquals(err.text(), "\r\x1b[Ka😀b");
});

Deno.test("jsonLine is JSON still when a terminal has shown it, whatever a name has in it", () => {
  const out = stream(false);
  const value = { file: "a\u007f\u0085\u009b1m\u202egpj\u2028\u2067\u061c\n\t\u001b[2J€😀.png" };
  on(out, stream(false)).print(jsonLine(value));
  assertEquals(JSON.parse(out.text()), value);
  assertEquals(/[\p{Cc}\u202e]/u.test(out.text().trimEnd()), false);
});

Deno.test("terminalOn escapes what could command the reader's terminal", () => {
  const [out, err] = [stream(true), stream(true)];
  const terminal = on(out, err);
  terminal.print("\x1b]0;title\x07 a\tb\r\x9b1m\nnext \u202egpj.exe");
  terminal.rewrite("\x1b[2J");
  assertEquals(
    out.text(),
    "\\u{1b}]0;title\\u{7} a\\u{9}b\\u{d}\\u{9b}1m\nnext \\u{202e}gpj.exe\n",
  );
  assertEquals(err.text(), "\r\x1b[K\\u{1b}[2J");
});

Deno.test("terminalOn stops writing to a reader who has gone, and goes on with the other", () => {
  const out = stream(false, new Deno.errors.BrokenPipe("gone"));
  const err = stream(false);
  const terminal = on(out, err);
  terminal.print("a");
  terminal.print("b");
  terminal.note("c");
  assertEquals(err.text(), "c\n");
});

Deno.test("terminalOn waits for a full pipe to take the rest", () => {
  const out = stream(false);
  let calls = 0;
  const busy: Stream = {
    isTerminal: () => false,
    writeSync(bytes) {
      if (calls++ % 2 === 0) throw new Deno.errors.WouldBlock("full");
      return out.writeSync(bytes);
    },
  };
  on(busy, stream(false)).print("a longer result");
  assertEquals(out.text(), "a longer result\n");
});

Deno.test("terminalOn passes on every other failure to write", () => {
  const full = new Error("No space left on device (os error 28)");
  assertThrows(() => on(stream(false, full), stream(false)).print("a"), Error, "No space left");
});
