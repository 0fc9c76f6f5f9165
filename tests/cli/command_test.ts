import { assertEquals, assertMatch } from "@std/assert";
import { command, execute } from "../../cli/command/command.ts";
import { UsageError } from "../../lib/error.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

/** A command that gives what its `--code` says, or throws. */
const trial = command({
  name: "try",
  summary: "gives a code",
  options: { code: { kind: "integer", required: true, help: "to give" } },
  examples: ["deno task try --code 0"],
  run({ code }, terminal) {
    terminal.print(`runs with ${code}`);
    if (code === 2) return Promise.reject(new UsageError("./kit is missing", "a", "b"));
    return Promise.resolve(code);
  },
});

Deno.test("execute gives the command's code, and 0 for none", async () => {
  const terminal = recordedTerminal();
  assertEquals(await execute(trial, ["--code", "3"], terminal), 3);
  assertEquals(terminal.printed, ["runs with 3"]);
  const silent = { ...trial, run: () => Promise.resolve() };
  assertEquals(await execute(silent, ["--code", "3"], terminal), 0);
});

Deno.test("execute notes an error as one line and gives its code", async () => {
  const terminal = recordedTerminal();
  assertEquals(await execute(trial, ["--code", "2"], terminal), 2);
  assertEquals(terminal.noted, ["lethe: ./kit is missing; a: b"]);
});

Deno.test("execute exits 2 on wrong usage, before the command runs", async () => {
  const terminal = recordedTerminal();
  assertEquals(await execute(trial, ["--coed", "1"], terminal), 2);
  assertMatch(terminal.noted[0], /^lethe: .*did you mean --code\?$/);
  assertEquals(terminal.printed, []);
});

Deno.test("execute prints help or version whatever else is given, and does not run", async () => {
  for (const word of ["--help", "-h"]) {
    const terminal = recordedTerminal();
    assertEquals(await execute(trial, ["--zzz", word], terminal), 0);
    assertMatch(terminal.printed.join(), /^deno task try: gives a code\n/);
    assertEquals(terminal.noted, []);
  }
  const terminal = recordedTerminal();
  assertEquals(await execute(trial, ["--version"], terminal), 0);
  assertMatch(terminal.printed.join(), /^lethe \d+\.\d+\.\d+$/);
});
