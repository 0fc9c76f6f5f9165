import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { taskCommand } from "../e2e/run_task.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { needing, runs } from "../machine.ts";

const REQUESTS = fromFileUrl(new URL("../../fixtures/requests", import.meta.url));
const unlearning = (out: string) => ["--support", REQUESTS, "--out", out, "--device", "wasm"];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The last line that is an error's; there is one of them. */
function refusal(err: string): string {
  const lines = err.split("\n").filter((line) => line.startsWith("lethe: "));
  assertEquals(lines.length, 1, err);
  return lines[0];
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

const WHOLE = ["kit", "model", "receipt.html", "receipt.json", "summary.json"];

Deno.test("unlearn twice at once into one folder: one run's output stays whole, the other ends with one line", () =>
  inTemporaryFolder(async (folder) => {
    const ended = await Promise.all(
      [1, 2].map(() => taskCommand("unlearn", unlearning("out"), folder).output()),
    );
    const codes = ended.map(({ code }) => code).sort();
    assertEquals(codes, [0, 1], ended.map(({ stderr }) => text(stderr)).join("\n"));
    const lost = ended.find(({ code }) => code === 1)!;
    assertMatch(
      refusal(text(lost.stderr)),
      /^lethe: out (?:exists|is being made by process \d+)[^;]*; /,
    );
    assertEquals(await names(folder), ["out"], "no staging folder stays");
    assertEquals(await names(join(folder, "out")), WHOLE);
    const receipt = join(folder, "out/receipt.json");
    const verified = await taskCommand("audit", ["--verify", receipt], folder).output();
    assertEquals(verified.code, 0, text(verified.stdout));
  }));

/** Whether this user can give a process a file system of its own. */
const MAY_MOUNT = await runs("unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt");

Deno.test({
  ...needing(
    "right to mount",
    MAY_MOUNT,
    "unlearn onto a full disk ends with one line and leaves nothing, wherever it gets to",
  ),
  fn: () =>
    inTemporaryFolder(async (folder) => {
      // The first file, the next kit, the receipt: what no longer fits.
      for (const size of ["40k", "1200k", "3150k"]) {
        const small = join(folder, size);
        await Deno.mkdir(small);
        const run = `mount -t tmpfs -o size=${size} none "$1" && cd "$1" && shift && "$@"; ` +
          `code=$?; ls -A . >&2; exit $code`;
        const [program, ...words] = commandLine(small);
        const { code, stderr } = await new Deno.Command("unshare", {
          args: ["-m", "sh", "-c", run, "sh", small, program, ...words],
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).output();
        const said = text(stderr);
        assertEquals(code, 1, said);
        assertMatch(refusal(said), /^lethe: \S*out(\/\S+)? cannot be written \(No space left/);
        assert(
          said.trimEnd().split("\n").at(-1)!.startsWith("lethe: "),
          `something stays:\n${said}`,
        );
      }
    }),
});

/** The starter, as a command line that a shell can run. */
function commandLine(folder: string): string[] {
  const starter = fromFileUrl(new URL("../../tasks/start.js", import.meta.url));
  const permissions = "--no-prompt --no-code-cache --allow-read --allow-write --allow-run=/bin/sh";
  return [
    ...[Deno.execPath(), "run", ...permissions.split(" "), starter, "unlearn"],
    ...unlearning(join(folder, "out")),
  ];
}
