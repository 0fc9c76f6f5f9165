import { basename } from "@std/path";
import { stagesFolder } from "../plan.ts";
import type { Stage } from "../stage.ts";

/**
 * The folders of those stages that have been made, by one look at the folder of all: grids have thousands,
 * and a shared file system takes its time for each question.
 *
 * @param out the grid's folder; nothing has been made where it has no stages yet
 */
export async function madeStages(
  stages: readonly Pick<Stage, "out">[],
  out: string,
): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(stagesFolder(out))) names.add(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return new Set(stages.map((stage) => stage.out).filter((path) => names.has(basename(path))));
}
