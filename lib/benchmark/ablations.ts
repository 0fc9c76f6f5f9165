import { PUBLISHED_META_LEARNING } from "../run/meta_learning/settings.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss/meta_loss_inputs.ts";
import type { Ablation, GridSettings, MetaUnlearnSettings } from "./settings.ts";

const metaUnlearn = (
  name: string,
  metaLearning: MetaUnlearnSettings["metaLearning"],
): MetaUnlearnSettings => ({
  name,
  method: "metaunlearn",
  metaLearning: { ...metaLearning },
});

/**
 * A grid with the methods of an ablation in place of its own: variants of MetaUnlearn, so that all that
 * comes before meta-learning is shared with the grid itself.
 */
export function withAblation(settings: GridSettings, ablation: Ablation): GridSettings {
  const { sequence: _, ...rest } = settings;
  return { ...rest, methods: METHODS[ablation](settings), ablation };
}

const METHODS: Readonly<Record<Ablation, (settings: GridSettings) => MetaUnlearnSettings[]>> = {
  /** Table 5: SCRUB's loss; which terms of Eq. 5 count, and whether by Eq. 6's accuracies. */
  "auxiliary-loss": () => [
    metaUnlearn("SCRUB", { form: { ...PUBLISHED_META_LEARNING.form, terms: "scrub" } }),
    ...(["first", "second", "both"] as const).flatMap((terms) =>
      [false, true].map((scaled) =>
        metaUnlearn(`${TERM_NAMES[terms]}${scaled ? " + accuracy" : ""}`, {
          form: { ...PUBLISHED_META_LEARNING.form, terms, scaled },
        })
      )
    ),
  ],
  /** Table 6: one input more in each row. */
  inputs: () =>
    TABLE_6_ORDER.map((input, i) =>
      metaUnlearn(i === 0 ? input : `+ ${input}`, {
        inputs: META_LOSS_INPUTS.filter((name) => TABLE_6_ORDER.slice(0, i + 1).includes(name)),
      })
    ),
  /** Table 7: N_S in meta-training other than in the request; the grid's own sizes, each with each. */
  "request-size": ({ data }) => {
    const asked = [...new Set(data.flatMap(({ forget }) => forget))].filter((size) => size > 1);
    const sizes = asked.length > 1 ? asked : asked.flatMap((size) => [size, 2 * size]);
    return sizes.map((requestSize) => metaUnlearn(`N_S ${requestSize}`, { requestSize }));
  },
};

const TERM_NAMES = { first: "First term", second: "Second term", both: "First & second" } as const;
const TABLE_6_ORDER = ["logits", "features", "identities", "targets"] as const;
