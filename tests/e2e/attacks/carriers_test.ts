import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { writeFiles } from "../../data/temporary_folder.ts";
import { HAS_BUBBLEWRAP } from "./abilities.ts";
import { withPatchedCopy } from "./patched_copy.ts";

const WORKER = "lib/audit/sandbox/unlearn_worker.ts";
const BEGIN = "if (import.meta.main) {";
const UNLEARN = "--support requests --kit kit --branch --reason trial --device wasm".split(" ");
const SANDBOXES = [...HAS_BUBBLEWRAP ? ["os"] : [], "deno"];

/** Code that tries something in the worker and says how it went. */
const probe = (code: string) => `
try {
  console.error("got " + (${code}));
} catch (error) {
  console.error("stopped: " + error.message);
}
${BEGIN}`;

// Attack 15: whatever lies beside the requests, unnamed by them.
Deno.test("unlearn's worker finds named requests alone, whatever lies beside them", () =>
  withPatchedCopy(async ({ folder, patch, unlearn }) => {
    await writeFiles(folder, { "requests/.cache/photo.png": "a training picture" });
    const path = join(folder, "requests/.cache/photo.png");
    await patch(WORKER, BEGIN, probe(`Deno.readTextFileSync(${JSON.stringify(path)})`));
    for (const sandbox of SANDBOXES) {
      const { code, err } = await unlearn(...UNLEARN, "--sandbox", sandbox, "--out", sandbox);
      assertEquals(code, 0, err);
      assertMatch(err, /^stopped: /m, sandbox);
    }
    // The control: a folder that is granted as a whole has it.
    await patch("lib/audit/sandbox/unlearn_contained.ts", "...requests, kit]", "support, kit]");
    const { err } = await unlearn(...UNLEARN, "--sandbox", "deno", "--out", "control");
    assertStringIncludes(err, "got a training picture");
  }));

Deno.test("unlearn refuses a kit in which a hidden file lies", () =>
  withPatchedCopy(async ({ folder, unlearn }) => {
    await writeFiles(folder, { "kit/.cache": "a training picture" });
    const { code, err } = await unlearn(...UNLEARN, "--out", "new");
    assertEquals(code, 1, err);
    assertStringIncludes(err, ".cache is not named in kit.json");
  }));

// Attack 07: Deno's lists of paths know no escape for a comma.
Deno.test("unlearn grants no path with a comma, the temporary folder's included", () =>
  withPatchedCopy(async ({ folder, patch, unlearnAfter }) => {
    await writeFiles(folder, { "train/photo.png": "a training picture", ",/a": "" });
    const path = join(folder, "train/photo.png");
    await patch(WORKER, BEGIN, probe(`Deno.readTextFileSync(${JSON.stringify(path)})`));
    const run = (out: string) =>
      unlearnAfter('export TMPDIR="$PWD/,"', ...UNLEARN, "--sandbox", "deno", "--out", out);
    const { code, err } = await run("new");
    assertEquals([code, err.includes("got ")], [0, false], err);
    assertMatch(err, /^stopped: /m);
    // Every path that is granted is checked, wherever it comes from.
    await patch("lib/audit/sandbox/run_folder.ts", 'if (!folder.includes(","))', "if (true)");
    const refused = await run("refused");
    assertEquals([refused.code, refused.err.includes("has a comma")], [1, true], refused.err);
    // The control: unchecked, the first half of such a path is the folder above.
    await patch(
      "lib/audit/sandbox/containment.ts",
      "for (const path of [...read, write]) refuseComma(path);",
      "",
    );
    assertStringIncludes((await run("control")).err, "got a training picture");
  }));

// Attack 16: storage needs no permission, and lies in DENO_DIR.
Deno.test("unlearn's worker has no storage, and finds nothing that somebody stored", () =>
  withPatchedCopy(async ({ folder, patch, unlearn }) => {
    const store = `await (async () => {
      const cache = await caches.open("x");
      await cache.put("http://x/p", new Response("kept"));
      return await (await cache.match("http://x/p")).text();
    })()`;
    let run = 0;
    for (const code of [`(localStorage.setItem("a", "kept"), localStorage.getItem("a"))`, store]) {
      const patched = probe(code);
      await patch(WORKER, BEGIN, patched);
      for (const sandbox of SANDBOXES) {
        const { code, err } = await unlearn(...UNLEARN, "--sandbox", sandbox, "--out", `${++run}`);
        assertEquals(code, 0, err);
        assertMatch(err, /^stopped: /m, sandbox);
      }
      await patch(WORKER, patched, BEGIN);
      // The control: in a DENO_DIR like any other it works.
      const entry = join(folder, "store.ts");
      await Deno.writeTextFile(entry, `console.log(${code});`);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-config", entry],
        env: { DENO_DIR: join(folder, "deno-dir") },
      }).output();
      assertEquals(new TextDecoder().decode(stdout).trim(), "kept");
    }
  }));
