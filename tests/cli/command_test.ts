import { assert, assertEquals, assertMatch } from "@std/assert";
import { command, execute } from "../../cli/command.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { LetheError } from "../../lib/error.ts";

/** A terminal that remembers. */
function recorder(): Terminal & { out: string[]; err: string[] } {
  const [out, err]: [string[], string[]] = [[], []];
  return {
    out,
    err,
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    rewrite() {},
    interactive: false,
    now: () => 0,
  };
}

const failing = (error: unknown) =>
  command({
    name: "try",
    summary: "Fails.",
    options: { out: { kind: "path", default: "there", help: "where" } },
    examples: ["deno task try --out here"],
    run: () => Promise.reject(error),
  });

Deno.test("execute turns each kind of error into one line and its exit code", async () => {
  const cases: [unknown, number, RegExp][] = [
    [new LetheError("a is b", "c", "d"), 1, /^lethe try: a is b; c: d$/],
    [new LetheError("x", "y", "z", { exitCode: 3 }), 3, /x; y: z/],
    [new Deno.errors.NotFound("no file\nat all"), 1, /no file at all; .*check the path/],
    [new Error("write failed: No space left on device (os error 28)"), 1, /free some/],
    [new TypeError("oops"), 1, /unexpected: oops/],
  ];
  for (const [error, code, pattern] of cases) {
    const terminal = recorder();
    assertEquals(await execute(failing(error), [], terminal), code);
    assertEquals(terminal.out, []);
    assertEquals(terminal.err.length, 1);
    assertMatch(terminal.err[0], pattern);
    assertEquals(terminal.err[0].split("\n").length, 1);
  }
});

Deno.test("execute ends silently when nobody reads the output any more", async () => {
  const terminal = recorder();
  assertEquals(await execute(failing(new Deno.errors.BrokenPipe("gone")), [], terminal), 0);
  assertEquals(terminal.err, []);
});

Deno.test("execute exits 2 on wrong usage, before the command runs", async () => {
  const terminal = recorder();
  assertEquals(await execute(failing("never thrown"), ["--uot", "x"], terminal), 2);
  assertMatch(terminal.err[0], /did you mean --out\?/);
});

Deno.test("execute shows options, what is assumed, examples and exit codes for --help", async () => {
  const terminal = recorder();
  assertEquals(await execute(failing("never thrown"), ["--help"], terminal), 0);
  const text = terminal.out.join("\n");
  for (const part of ["deno task try: Fails.", "--out PATH", "(there)", "--out here", "3 audit"]) {
    assert(text.includes(part), `${part} is not in:\n${text}`);
  }
});
