import { assert, assertEquals, assertMatch } from "@std/assert";
import { temporaryFolder } from "../data/temporary_folder.ts";

const FILE = new URL("small_command.ts", import.meta.url);

function start(
  args: string[],
  permissions: string[] = [],
  env: Record<string, string> = {},
  cwd?: string,
) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, FILE.href, ...args],
    env: { NO_COLOR: "1", LETHE_DEBUG: "", ...env },
    stdout: "piped",
    stderr: "piped",
    ...(cwd === undefined ? {} : { cwd }),
  });
}

async function ends(...given: Parameters<typeof start>) {
  const { code, stdout, stderr } = await start(...given).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

const SAID = { out: "the result\n", err: "about the run\n" };

Deno.test("main exits with the command's code and keeps results and notices apart", async () => {
  assertEquals(await ends([]), { code: 0, ...SAID });
  assertEquals(await ends(["--end", "audit"]), { code: 3, ...SAID });
});

Deno.test("main gives a LetheError's line and exit code 1", async () => {
  assertEquals(await ends(["--end", "lethe"]), {
    code: 1,
    out: SAID.out,
    err: SAID.err + "lethe: a.jpg is empty; an image has bytes: copy it again\n",
  });
});

Deno.test("main exits 2 on wrong usage, with nothing on standard output", async () => {
  const { code, out, err } = await ends(["--edn", "well"]);
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^lethe: --edn is no option [^\n]*did you mean --end\?\n$/);
});

Deno.test("main prints one line and no stack for a missing file, a missing right and a bug", async () => {
  const cases: [string, string[], RegExp][] = [
    [
      "missing",
      ["--allow-read"],
      /lethe: [^\n]*no_such_file'; [^\n]*check the path\n$/,
    ],
    ["missing", [], /lethe: Requires read access to [^\n]*no_such_file"; the task's permissions/],
    ["bug", [], /lethe: unexpected: x is not a function\n$/],
    ["rejection", [], /lethe: unexpected: behind the back\n$/],
  ];
  for (const [end, permissions, pattern] of cases) {
    const { code, err } = await ends(["--end", end], permissions);
    assertEquals(code, 1);
    assertMatch(err, pattern);
    assertEquals(err.trimEnd().split("\n").length, 2, err);
  }
});

Deno.test("main prints the stack where LETHE_DEBUG is set and may be read", async () => {
  const stack = /small_command\.ts:\d+/;
  const debug = { LETHE_DEBUG: "1" };
  assertMatch((await ends(["--end", "bug"], ["--allow-env=LETHE_DEBUG"], debug)).err, stack);
  const refused = await ends(["--end", "bug"], [], debug);
  assertEquals([refused.code, stack.test(refused.err)], [1, false]);
});

Deno.test("main prints Lethe's version", async () => {
  const { code, out } = await ends(["--version"]);
  assertEquals(code, 0);
  assertMatch(out, /^lethe \d+\.\d+\.\d+\n$/);
});

Deno.test({
  name: "main ends with 130 and one line when it is interrupted",
  ignore: Deno.build.os === "windows", // no SIGINT can be sent to one process there
  async fn() {
    const child = start(["--end", "never"]).spawn();
    const out = child.stdout.getReader();
    await out.read(); // the command has begun
    child.kill("SIGINT");
    const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    await out.cancel();
    assertEquals(code, 130);
    assert(err.endsWith("lethe: interrupted\n"), err);
  },
});

Deno.test({
  name: "main leaves nothing half made behind when it is interrupted or asked to end",
  ignore: Deno.build.os === "windows",
  async fn() {
    for (
      const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const
    ) {
      const cwd = await temporaryFolder();
      try {
        const child = start(["--end", "half"], ["--allow-read", "--allow-write"], {}, cwd).spawn();
        const out = child.stdout.getReader();
        const decoder = new TextDecoder();
        for (let said = ""; !said.includes("half made");) {
          const { value, done } = await out.read();
          assert(!done, said);
          said += decoder.decode(value);
        }
        assertEquals([...Deno.readDirSync(cwd)].length, 1, "it is half made");
        child.kill(signal);
        const [{ code }] = await Promise.all([child.status, child.stderr.cancel()]);
        await out.cancel();
        assertEquals([code, [...Deno.readDirSync(cwd)]], [exitCode, []]);
      } finally {
        await Deno.remove(cwd, { recursive: true });
      }
    }
  },
});

Deno.test("main works on to the end, silently, when the reader of its output has gone", async () => {
  const child = start(["--end", "flood"]).spawn();
  const out = child.stdout.getReader();
  await out.read();
  await out.cancel();
  const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([code, err], [3, SAID.err]);
});

Deno.test({
  name: "main goes on when its terminal goes, where nohup has it so",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const args = ["run", "--quiet", "--no-prompt", FILE.href, "--end", "never"];
    // What nohup does to a command that a terminal started.
    const nohup = `trap "" HUP; exec "$@" 0>/dev/null`;
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", nohup, "sh", Deno.execPath(), ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const out = child.stdout.getReader();
    await out.read(); // the command has begun
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    await out.cancel();
    assertEquals([code, err.match(/interrupted/g)?.length], [143, 1]);
  },
});
