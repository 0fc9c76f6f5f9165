import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { shell, SYSTEM_PATH } from "../../../lib/audit/sandbox/shell.ts";
import { names, tree } from "../small_path.ts";
import { HAS_BUBBLEWRAP } from "./abilities.ts";
import { type PatchedCopy, withPatchedCopy } from "./patched_copy.ts";

const UNLEARN = "--support requests --kit kit --branch --reason trial --device wasm".split(" ");

/** The system's programs as links in a folder, but for bubblewrap, in whose place a script may be. */
async function otherPrograms({ folder, patch }: PatchedCopy, bwrap: string | null): Promise<void> {
  const programs = join(folder, "programs");
  await Deno.mkdir(programs);
  for (const name of ["sh", "bash", "cat", "mkfifo", "strace", "true"]) {
    const { out } = await shell(`command -v ${name}`);
    if (out !== "") await Deno.symlink(out, join(programs, name));
  }
  if (bwrap !== null) {
    await Deno.writeTextFile(join(programs, "bwrap"), bwrap, { mode: 0o755 });
  }
  await patch("lib/audit/sandbox/shell.ts", JSON.stringify(SYSTEM_PATH), JSON.stringify(programs));
}

const REFUSED = "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n";

for (
  const [what, bwrap, says] of [
    ["is not installed", null, /bubblewrap is not installed/],
    ["may not make namespaces", REFUSED, /may not make namespaces here \(bwrap: No permissions/],
  ] as const
) {
  Deno.test(`unlearn --sandbox os refuses where bubblewrap ${what}; auto says so and goes on`, () =>
    withPatchedCopy(async (copy) => {
      await otherPrograms(copy, bwrap);
      const before = await tree(copy.folder);
      const refused = await copy.unlearn(...UNLEARN, "--sandbox", "os");
      assertEquals([refused.code, await tree(copy.folder)], [1, before]);
      assertMatch(refused.err, says);
      assertMatch(refused.err, /^lethe: --sandbox os: .*; it needs bubblewrap: .*--sandbox deno$/m);
      const { code, out, err } = await copy.unlearn(...UNLEARN);
      assertEquals(code, 0, err);
      assertMatch(out, /^walls: Deno's permissions alone: .*$/m);
      assertMatch(out, says);
      const layers = await copy.watched("deno");
      assertEquals(layers.get("operating system")!.state, "absent", "never held");
    }));
}

Deno.test("unlearn prints the worker's walls and its permissions", () =>
  withPatchedCopy(async ({ folder, unlearn }) => {
    const { out } = await unlearn(...UNLEARN);
    const [, flags] = out.match(/^worker: (.*)$/m)!;
    const granted = flags.split(" ").filter((flag) => flag.startsWith("--allow"));
    const real = await Deno.realPath(folder);
    assertEquals(granted.length, 2);
    const [read, write] = granted.map((flag) => flag.split("=")[1].split(","));
    // The requests by their names, the kit as a folder.
    const requests = names(join(folder, "requests")).map((name) => join(real, "requests", name));
    assertEquals(read.slice(1, -1).sort(), [join(real, "kit"), ...requests].sort());
    assertMatch(read[0], /lethe-run-[^/]+\/job\.json$/);
    assertEquals(write, read.slice(-1));
    assertMatch(write[0], /\/\.unlearned\.[^/]+\.part$/);
    const walls = HAS_BUBBLEWRAP ? "bubblewrap and Deno's permissions" : "Deno's permissions alone";
    assertStringIncludes(out, `walls: ${walls}`);
  }));
