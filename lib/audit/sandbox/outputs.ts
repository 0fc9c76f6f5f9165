import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { kitFiles, MANIFEST, readManifest } from "../../model/kit/stored_manifest.ts";
import type { UnlearnPlan } from "../../run/unlearn_plan.ts";
import type { UnlearnSummary } from "../../run/unlearn_summary.ts";
import type { HashedFile } from "./contained_run.ts";
import { hashTree } from "../record/hash_files.ts";
import { checkTree } from "./inputs.ts";
import { isWithin, readMounts } from "./mounts.ts";

const MODEL = ["model/config.json", "model/model.safetensors"];

/**
 * Holds what the worker wrote against what it was to write: a model and the next kit, every file of
 * which that kit's manifest names, the hashes of the summary, and people only who were not asked for.
 *
 * @param folder the worker's output, before it takes its name
 * @param read what the worker says that it read, and `from`: the kit's folder
 * @returns every file, hashed
 * @throws LetheError anything else
 */
export async function checkOutputs(
  folder: string,
  plan: UnlearnPlan,
  { kit, people, weights }: UnlearnSummary,
  read: readonly HashedFile[],
  from: string,
): Promise<HashedFile[]> {
  const named = new Map([[join(from, MANIFEST), plan.sha256]]);
  for (const { file, sha256 } of await kitFiles(from, plan.manifest)) {
    named.set(join(from, file), sha256);
  }
  const odd = read.find(({ path, sha256 }) => isWithin(path, from) && named.get(path) !== sha256);
  if (odd) throw unexpected(`it says that ${odd.path} is not what kit.json names`);
  await checkTree(folder, await readMounts());
  const files = await hashTree(folder);
  const next = await readManifest(join(folder, "kit"));
  const { manifest } = next;
  const due = new Map([
    ...MODEL.map((path) => [path, null] as const),
    [`kit/${MANIFEST}`, next.sha256] as const,
    ...(await kitFiles(join(folder, "kit"), manifest))
      .map(({ file, sha256 }) => [`kit/${file}`, sha256] as const),
  ]);
  const wrong = files.find(({ path, sha256 }) =>
    !due.has(path) || (due.get(path) ?? sha256) !== sha256
  );
  if (wrong) throw unexpected(`${wrong.path} is not what it was to write`);
  const missing = [...due.keys()].find((path) => !files.some((file) => file.path === path));
  if (missing) throw unexpected(`${missing} is missing`);
  const model = files.find(({ path }) => path === "model/model.safetensors")!.sha256;
  const asked = [...new Set(plan.rows.map(({ row }) => plan.manifest.identities[row]))];
  if (people !== asked.length) {
    throw unexpected(`it says that it forgot ${people} people, and ${asked.length} asked`);
  }
  if (kit.before !== plan.id || kit.after !== next.id || weights.after !== model) {
    throw unexpected("the hashes it answers with are not its files'");
  }
  const left = plan.manifest.identities.filter((hash) => !asked.includes(hash));
  const same = (a: readonly string[], b: readonly string[]) =>
    JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
  if (
    !same(manifest.identities, left) ||
    !same(manifest.forgotten, [...plan.manifest.forgotten, ...asked]) ||
    manifest.parent !== plan.id
  ) {
    throw unexpected("its next kit knows other people than those who are left");
  }
  return files;
}

function unexpected(what: string): LetheError {
  return new LetheError(
    `the worker's output: ${what}`,
    "it is a model and the next kit, nothing else",
    "do not use it; check that the code in lib/ is what it was",
    { exitCode: 3 },
  );
}
