import { join } from "@std/path";
import { CONFIG_FILE, MODEL_FILE, readModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { trainingNotes } from "../model/training_notes.ts";
import { type Inspected, size, some } from "./inspected.ts";

/** A model's shape in words. */
export function shapeOf({ imageSize, patchSize, dim, depth, heads }: ModelConfig): string {
  return `ViT, ${imageSize} px, patch ${patchSize}, width ${dim}, ${depth} blocks, ${heads} heads`;
}

/** A model folder. @throws {LetheError} it is damaged */
export async function inspectModel(path: string): Promise<Inspected> {
  const { config, theta, kernels } = await readModel(path);
  const parameters = [...theta.values()].reduce((sum, { values }) => sum + values.length, 0);
  const bytes = (await Deno.stat(join(path, MODEL_FILE))).size;
  const { history, withoutForget, split } = await trainingNotes(path);
  const metrics = history?.map(({ metric }) => metric) ?? [];
  const best = Math.max(...metrics.filter((metric) => typeof metric === "number"));
  return {
    kind: "model",
    path,
    rows: [
      ["model", shapeOf(config)],
      ["weights", `${parameters.toLocaleString("en-US")} numbers, ${size(bytes)}`],
      ["task", config.task === "classes" ? "one of several classes" : "independent labels"],
      [config.task === "classes" ? "classes" : "labels", some(config.labels, 12)],
      ["pixels", `mean ${config.mean.join(", ")}, deviation ${config.std.join(", ")}`],
      ["input version", String(config.inputVersion ?? 1)],
      ["kernels", kernels ? "chosen by measuring" : "the usual ones"],
      ...(history
        ? [
          [
            "training",
            `${history.length} epochs` +
            (Number.isFinite(best) ? `, best validation ${(100 * best).toFixed(1)}` : "") +
            (withoutForget ? ", without the people to forget" : ""),
          ] as const,
        ]
        : []),
    ],
    notes: [],
    value: {
      kind: "model",
      config: { ...config, inputVersion: config.inputVersion ?? 1 },
      configFile: CONFIG_FILE,
      parameters,
      bytes,
      measuredKernels: kernels !== undefined,
      ...(history ? { epochs: history, withoutForget, split } : {}),
    },
  };
}
