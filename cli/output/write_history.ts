import { join } from "@std/path";
import { writeWhole } from "../../lib/files/write_whole.ts";
import { historySvg } from "../../lib/report/history_figure.ts";
import type { Epoch } from "../../lib/model/train.ts";
import type { MetaEpoch } from "../../lib/unlearn/meta_unlearn/meta_learn.ts";

/** Draws a training's history into the model's folder, beside `history.json`. */
export async function writeTrainingHistory(
  model: string,
  history: readonly Epoch[],
  chosen: number,
): Promise<void> {
  const curves = [
    {
      title: "Training loss",
      label: "mean over the epoch",
      values: history.map(({ loss }) => loss),
    },
    {
      title: "Validation people",
      label: "mAP or accuracy, percent",
      values: history.map(({ metric }) => 100 * metric),
    },
  ];
  await writeWhole(join(model, "history.svg"), historySvg(curves, chosen));
}

/** Draws a meta-learning's history beside the kit, which holds nothing that unlearning does not need. */
export async function writeMetaHistory(
  kit: string,
  history: readonly MetaEpoch[],
  chosen: number,
): Promise<void> {
  const curves = [
    {
      title: "Objective A of simulated requests",
      label: "mean over the epoch",
      values: history.map(({ objective }) => objective),
    },
    {
      title: "Forget images after the step",
      label: "mAP or accuracy, percent",
      values: history.map(({ forget }) => 100 * forget),
    },
    {
      title: "Held-out requests",
      label: "Tug-of-War, percent",
      values: history.map(({ heldOut }) => 100 * (heldOut?.tugOfWar ?? NaN)),
    },
  ];
  await writeWhole(metaHistoryPath(kit), historySvg(curves, chosen));
}

/** Where a kit's history is drawn. */
export function metaHistoryPath(kit: string): string {
  return `${kit.replace(/[/\\]+$/, "")}.history.svg`;
}
