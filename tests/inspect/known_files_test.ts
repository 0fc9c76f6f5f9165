import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { inspectPath } from "../../lib/inspect/inspect_path.ts";
import { claimOutput } from "../../lib/files/claim_output.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { smallPath } from "../e2e/small_path.ts";
import { LetheError } from "../../lib/error.ts";
import { reportPage } from "../../lib/report/report_page.ts";
import { smallResults } from "../report/small_results.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));

/** Every path below a folder, but for what lies in folders of that name. */
async function* below(folder: string, ...without: string[]): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    yield path;
    if (isDirectory && !without.includes(name)) yield* below(path, ...without);
  }
}

Deno.test("inspectPath names every file and folder of the path from portraits to receipts, with its use", async () => {
  const path = await smallPath();
  let seen = 0;
  for (const [folder, ...without] of [[path, "portraits"], [FIXTURES, "golden"]]) {
    for await (const each of below(folder, ...without)) {
      if (/\/(?:golden|README\.md|results|4832d1b|second-requests\/.*)$/.test(each)) continue;
      const { kind, rows, value } = await inspectPath(each);
      assertEquals(value.kind, kind, each);
      assert(rows.length > 0, each);
      seen++;
    }
  }
  assert(seen > 60, String(seen));
});

Deno.test("inspectPath tells what stopped runs, commands and benchmarks leave, and what to do with it", () =>
  inTemporaryFolder(async (folder) => {
    const id = crypto.randomUUID();
    const hash = "a".repeat(62);
    const left = {
      "model.training": ["state of a stopped run", /same command again to go on/],
      "model.training.updates/1.safetensors": ["weights", /import/],
      "model.training.updates": ["state of a stopped run", /delete it with that/],
      "kit.meta-learning": ["state of a stopped run", /same command/],
      "kit.rows/run.json": ["state of a stopped run", /inspect/],
      "kit.rows": ["state of a stopped run", /begin anew/],
      "split.json.index": ["split index", /makes it anew/],
      [`.model.${id}.part`]: ["unfinished output", /remove it/],
      [`.kit.${id}.part/kit.json`]: ["part of a kit", /inspect/],
      [`.kit.${id}.part`]: ["unfinished output", /remove it/],
      "kit.history.svg": ["drawing", /browser/],
      "bench.svg": ["drawing", /browser/],
      "model.onnx": ["ONNX model", /serve it/],
      "model.sha256": ["hashes", /sha256sum -c/],
      [`cache/0f/${hash}`]: null,
      cache: ["decoded images", /delete it with that/],
      "evidence/trace.log": ["evidence", /receipt/],
      evidence: ["evidence", /receipt/],
      "grid/stages/measure-x/predictions.safetensors": ["part of a benchmark", /figures/],
      "grid/stages": ["part of a benchmark", /same command/],
      "grid/claims": ["part of a benchmark", /leave it/],
      "grid/lock": ["part of a benchmark", /leave it/],
      "grid/slurm": ["part of a benchmark", /--status/],
      "4711.jpg": ["photograph", /folder/],
    } as const;
    const files = Object.keys(left).filter((name) =>
      !Object.keys(left).some((other) => other.startsWith(`${name}/`)) &&
      name !== "grid/claims" && name !== "grid/slurm"
    );
    await writeFiles(folder, Object.fromEntries(files.map((name) => [name, "{}"])));
    await writeFiles(folder, { "grid/claims/x": "", "grid/slurm/x": "" });
    for (const [name, told] of Object.entries(left)) {
      if (told === null) continue;
      const { kind, rows } = await inspectPath(join(folder, name));
      assertEquals(kind, told[0], name);
      assertMatch(Object.fromEntries(rows).use, told[1]);
    }
    using claim = await claimOutput(join(folder, "out"));
    assertEquals((await inspectPath(claim.path)).kind, "claim");
  }));

Deno.test("inspectPath tells fold models and stored updates by what they say of themselves", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "kit.folds/folds.json": JSON.stringify({ folds: 2, sets: [[0, 1, 1], [1, 0, 1]] }),
      "kit.folds/set0_fold1/config.json": "{}",
      "model.updates/updates.json": JSON.stringify({ rank: null, people: ["a", "b"] }),
    });
    const [folds, updates] = await Promise.all(
      ["kit.folds", "model.updates"].map((name) => inspectPath(join(folder, name))),
    );
    const { people, partitions, "models made": made } = folds.value;
    assertEquals([folds.kind, people, folds.value.folds, partitions, made], [
      "fold models",
      3,
      2,
      2,
      1,
    ]);
    assertEquals([updates.kind, updates.value.people, updates.value.rank], [
      "stored updates",
      2,
      "full",
    ]);
  }));

Deno.test("inspectPath tells JSON files of commands by their fields", () =>
  inTemporaryFolder(async (folder) => {
    const files = {
      "results.json": [{ settings: {}, planned: 1, cells: [] }, "benchmark results"],
      "jobs.json": [{ settings: {}, stages: [], adapter: "", out: "" }, "part of a benchmark"],
      "grid.json": [{ name: "x", data: [], methods: [] }, "part of a benchmark"],
      "figures.json": [{ metric: "mAP", retain: 1, forget: 1, test: 1 }, "figures"],
      "accepted.json": [{ verdict: "refused", shortfalls: [] }, "figures"],
      "p.json": [{ labels: [], images: [] }, "figures"],
      "i.json": [{ path: "d", kind: "data set", labels: [], images: 1, notes: [] }, "figures"],
      "s.json": [{ device: "d", precision: "float32", passed: true, groups: [] }, "figures"],
      "b.json": [{ device: "d", backend: "wasm", settings: {}, steps: [] }, "figures"],
      "h.json": [[{ date: "d", commit: null, device: "d", ratios: {} }], "figures"],
    } as const;
    for (const [name, [content, kind]] of Object.entries(files)) {
      await writeFiles(folder, { [name]: JSON.stringify(content) });
      assertEquals((await inspectPath(join(folder, name))).kind, kind, name);
    }
    for (const list of ["[]", "[null]", "[1"]) {
      await writeFiles(folder, { "list.json": list });
      await assertRejects(() => inspectPath(join(folder, "list.json")), LetheError);
    }
  }));

Deno.test("inspectPath knows a benchmark's report, of any size, and no other page for one", () =>
  inTemporaryFolder(async (folder) => {
    const page = reportPage(smallResults(), () => undefined);
    await writeFiles(folder, {
      "report.html": page,
      "large.html": page + " ".repeat(5 * 2 ** 20),
      "page.html": "<title>unlearning</title>",
    });
    for (const name of ["report.html", "large.html"]) {
      const { kind, rows } = await inspectPath(join(folder, name));
      assertEquals(kind, "page");
      assertMatch(Object.fromEntries(rows).what, /^a benchmark's report/);
    }
    await assertRejects(() => inspectPath(join(folder, "page.html")), LetheError, "is a file");
  }));
