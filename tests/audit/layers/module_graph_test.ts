import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readModuleGraph } from "../../../lib/audit/layers/module_graph.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const LIB = fromFileUrl(new URL("../../../lib/", import.meta.url));
const PROJECT_FILES = /[/\\]lib[/\\]/;

Deno.test("readModuleGraph lists the worker's modules and packages, all its own", async () => {
  const graph = await readModuleGraph(join(LIB, "audit/sandbox/unlearn_worker.ts"));
  assertEquals(graph.outcome.state, "held", graph.outcome.detail);
  assertEquals(graph.modules.every((path) => PROJECT_FILES.test(path)), true);
  assertEquals(graph.modules.some((path) => path.endsWith("unlearning_step.ts")), true);
  assertEquals(graph.packages.some(({ name }) => name === "@tensorflow/tfjs@4.22.0"), true);
  // The worker computes and cannot map names to rows: what the launcher keeps is not its code.
  for (const name of ["unlearn_plan.ts", "unlearn_contained.ts", "shell.ts"]) {
    assertEquals(graph.modules.filter((path) => path.endsWith(name)), []);
  }
});

Deno.test("unlearn_contained.ts starts without tfjs and image decoders: the launcher computes nothing", async () => {
  const entry = join(LIB, "audit/sandbox/unlearn_contained.ts");
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry] });
  const { roots, modules, redirects } = JSON.parse(
    new TextDecoder().decode((await command.output()).stdout),
  );
  interface Dependency {
    code?: { specifier: string };
    isDynamic?: boolean;
  }
  const known = new Map<string, { dependencies?: Dependency[]; npmPackage?: string }>(
    modules.map((module: { specifier: string }) => [module.specifier, module]),
  );
  const found = new Set<string>(roots);
  for (const specifier of found) {
    for (const { code, isDynamic } of known.get(specifier)?.dependencies ?? []) {
      // What is imported by a call is a method's mathematics, which only the worker calls for.
      if (code && !isDynamic) found.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  const packages = new Set([...found].flatMap((name) => known.get(name)?.npmPackage ?? []));
  assertEquals([...packages], ["deno-std@1.4.0"]);
});

Deno.test("readModuleGraph fails on imports from elsewhere and on computed ones", () =>
  inTemporaryFolder(async (folder) => {
    const other = join(folder, "other.ts");
    await writeFiles(folder, { "other.ts": "export {};", "entry.ts": 'import "./other.ts";' });
    const graph = await readModuleGraph(await Deno.realPath(join(folder, "entry.ts")));
    assertEquals(graph.outcome.state, "failed");
    assertStringIncludes(graph.outcome.detail, await Deno.realPath(other));
    // train_worker.ts starts itself as a Worker, by a URL that is no literal.
    const worker = await readModuleGraph(join(LIB, "run/training/train_worker.ts"));
    assertEquals(worker.outcome.state, "failed");
    assertMatch(worker.outcome.detail, /train_worker\.ts: new Worker\(import\.meta\.url/);
  }));
