import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { tree } from "../small_path.ts";
import { HAS_BUBBLEWRAP, HAS_STRACE } from "./abilities.ts";
import { withPatchedCopy } from "./patched_copy.ts";

const WORKER = "lib/audit/sandbox/unlearn_worker.ts";
/** Where patches go: before everything that the worker does. */
const BEGIN = "if (import.meta.main) {";
const UNLEARN = "--support requests --kit kit --out new --device wasm".split(" ");
const SANDBOXES = [...HAS_BUBBLEWRAP ? ["os"] as const : [], "deno" as const];

/** Reads the file, and says how it went on standard error. */
const read = (path: string, how: string) => `
try {
  const bytes = ${how.replace("PATH", JSON.stringify(path))};
  console.error("got " + bytes.length);
} catch (error) {
  console.error("stopped: " + error.message);
}
${BEGIN}`;

const training = (folder: string) => join(folder, "portraits/img_align_celeba/000001.png");

for (const sandbox of SANDBOXES) {
  Deno.test(`unlearn --sandbox ${sandbox} keeps a worker that reads the training folder from it`, () =>
    withPatchedCopy(async ({ folder, patch, unlearn, watched }) => {
      const steal = read(training(folder), '(await import("node:fs")).readFileSync(PATH)');
      await patch(WORKER, BEGIN, steal);
      const { code, err } = await unlearn(
        ...UNLEARN,
        "--sandbox",
        sandbox,
        "--branch",
        "--reason",
        "trial",
      );
      assertEquals(code, 0, "it goes on, to hide that it tried");
      assertMatch(err, /^stopped: /m);
      assertEquals(err.includes("got "), false);

      const layers = await watched(sandbox);
      const log = layers.get("permission log")!;
      assertEquals(log.state, "failed", "and the attempt is on record");
      assertStringIncludes(log.detail, `1 of `);
      assertStringIncludes(log.detail, training(folder));
      assertEquals(layers.get("canaries")!.state, "held");
      const calls = layers.get("system calls")!;
      assertEquals(calls.state, HAS_STRACE ? "held" : "absent", "the system never opened it");
      // The control: nothing of this without the patch.
      await patch(WORKER, steal, BEGIN);
      await Deno.remove(join(folder, "watched"), { recursive: true });
      const failed = [...(await watched(sandbox)).values()].filter(({ state }) =>
        state === "failed"
      );
      assertEquals(failed, []);
    }));
}

Deno.test({
  name: "unlearn's evidence shows a worker that got through, were its permissions too wide",
  ignore: !HAS_STRACE,
  fn: () =>
    withPatchedCopy(async ({ folder, patch, watched }) => {
      await patch(WORKER, BEGIN, read(training(folder), "await Deno.readFile(PATH)"));
      await patch("lib/audit/sandbox/containment.ts", '"--no-prompt",', '"-A",');
      await patch(
        "lib/audit/sandbox/containment.ts",
        "...readable([...read, write]),",
        "",
      );
      await patch("lib/audit/sandbox/containment.ts", "`--allow-write=${write}`,", "");
      const layers = await watched("deno");
      for (const layer of ["system calls", "canaries"]) {
        assertEquals(layers.get(layer)!.state, "failed", layer);
      }
      assertStringIncludes(layers.get("system calls")!.detail, training(folder));
      assertStringIncludes(layers.get("canaries")!.detail, "reached by Deno.readFile");
      if (!HAS_BUBBLEWRAP) return;
      // Bubblewrap stands without Deno's permissions.
      await Deno.remove(join(folder, "watched"), { recursive: true });
      const walled = await watched("os");
      for (const layer of ["system calls", "canaries"]) {
        assertEquals(walled.get(layer)!.state, "held", layer);
      }
    }),
});

Deno.test("unlearn refuses a worker that imports the training data, before it opens any input", () =>
  withPatchedCopy(async ({ folder, patch, unlearn }) => {
    const before = await tree(folder);
    const literal = `import stolen from ${
      JSON.stringify(training(folder))
    } with { type: "bytes" };\nconsole.error("got " + stolen.length);\n`;
    const computed = read(training(folder), 'await import(PATH + "", { with: { type: "bytes" } })');
    for (const [patched, says] of [[literal + BEGIN, "000001.png"], [computed, "import("]]) {
      await patch(WORKER, BEGIN, patched);
      const { code, err } = await unlearn(...UNLEARN);
      assertEquals([code, err.includes("got ")], [3, false], err);
      assertStringIncludes(err, "imported from elsewhere: ");
      assertStringIncludes(err, says);
      assertEquals(await tree(folder), before);
      await patch(WORKER, patched, BEGIN);
    }
    assertEquals((await unlearn(...UNLEARN)).code, 0, "as it was, it works");
  }));

Deno.test("unlearn takes no output but a model and the next kit, and no answer but its worker's", () =>
  withPatchedCopy(async ({ folder, patch, unlearn }) => {
    const before = await tree(folder);
    const ANSWER = "    answer({ summary,";
    const cases = [
      [
        ANSWER,
        `    Deno.writeTextFileSync(out + "/model/photo.png", "x");\n${ANSWER}`,
        "model/photo.png",
      ],
      [
        ANSWER,
        `    Deno.removeSync(out + "/kit/kit.json");\n${ANSWER}`,
        "kit/kit.json does not exist",
      ],
      [
        "answer({ summary,",
        'answer({ summary: { ...summary, photo: "iVBOR" },',
        '"photo" is unknown',
      ],
      [
        "read: read.filter(",
        'read: [{ path: kit + "/photo", sha256: nonce, bytes: 1 }, ...read].filter(',
        "kit/photo is not what kit.json names",
      ],
      [
        "{ nonce, ...content as object }",
        '{ nonce: "0".repeat(64), ...content as object }',
        "nonce",
      ],
    ];
    for (const [from, to, says] of cases) {
      await patch(WORKER, from, to);
      const { code, err } = await unlearn(...UNLEARN);
      assertEquals(code === 0, false);
      assertStringIncludes(err, says);
      assertEquals(await tree(folder), before);
      await patch(WORKER, to, from);
    }
  }));

Deno.test("unlearn's evidence shows a worker that lies about what it read", () =>
  withPatchedCopy(async ({ patch, unlearn, watched }) => {
    await patch(
      WORKER,
      "read.filter((file) => file.path !== path)",
      'read.slice(1).map((file) => file.path.startsWith(support) ? { ...file, sha256: "0".repeat(64) } : file)',
    );
    const { state, detail } = (await watched("deno")).get("reader")!;
    assertEquals(state, "failed");
    assertStringIncludes(detail, "changed since they were read");
    const { code, err } = await unlearn(...UNLEARN, "--branch", "--reason", "trial");
    assertEquals(code, 3);
    assertStringIncludes(err, "failed: reader: changed since they were read");
  }));
