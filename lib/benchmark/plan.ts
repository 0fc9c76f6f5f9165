import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import type { MetaLearnSettings } from "../run/meta_learn_kit.ts";
import { publishedSettings } from "../unlearn/method_recipes.ts";
import { type Baseline, type BaselineSettings, NEED_STATISTICS } from "../unlearn/methods.ts";
import {
  type BaselineMethodSettings,
  type DataSettings,
  type GridSettings,
  type MetaLearningOverrides,
  PUBLISHED_META_LEARNING,
} from "./settings.ts";
import { makeStage, type Stage } from "./stage.ts";

/** One number of people to forget and one seed: what every method there starts from. */
export interface PlannedSplit {
  readonly data: string;
  readonly forget: number;
  readonly seed: number;
  readonly describe: Stage;
}

/** One cell of the grid. */
export interface PlannedCell {
  readonly data: string;
  readonly forget: number;
  readonly seed: number;
  /** The method's name in the tables. */
  readonly method: string;
  readonly measure: Stage;
  /** Chose the method's settings; absent for Pretrain and MetaUnlearn. */
  readonly choose?: Stage;
}

/** A stream of requests for one method. */
export interface PlannedSequence extends Omit<PlannedCell, "measure" | "choose"> {
  readonly sequence: Stage;
}

/** All stages of a grid, each once, inputs before what needs them. */
export interface GridPlan {
  readonly stages: readonly Stage[];
  readonly splits: readonly PlannedSplit[];
  readonly cells: readonly PlannedCell[];
  readonly sequences: readonly PlannedSequence[];
}

/** The original model's row, as the paper calls it: what a method that does nothing would score. */
export const PRETRAIN = "Pretrain";
/** The row of the model that was retrained without the people to forget. */
export const RETRAIN = "Retrain";

/** Where a grid keeps its stages. */
export function stagesFolder(out: string): string {
  return join(out, "stages");
}

/** The identity key of all the grid's kits. */
export function identityKeyOf(out: string): string {
  return join(stagesFolder(out), "identity-key");
}

/**
 * Lays a grid out into stages: split -> pretrain, retrain -> kit -> method -> measure, for every data
 * set, number of people and seed. What two cells share is one stage.
 *
 * @param out the grid's folder, absolute
 * @param device name of the adapter
 * @throws LetheError a data set without a folder, or a recipe that does not exist
 */
export function planGrid(settings: GridSettings, out: string, device: string): GridPlan {
  const folder = stagesFolder(out);
  const identityKey = identityKeyOf(out);
  const stages = new Map<string, Stage>();
  const add: typeof makeStage = (...args) => {
    const stage = makeStage(...args);
    stages.set(stage.out, stages.get(stage.out) ?? stage);
    return stages.get(stage.out)!;
  };
  const splits: PlannedSplit[] = [];
  const cells: PlannedCell[] = [];
  const sequences: PlannedSequence[] = [];
  for (const data of settings.data) {
    const recipe = recipeOf(data);
    const layout = data.layout === "portraits" ? "celeba" : data.layout;
    const root = data.layout === "portraits"
      ? add(folder, device, `draw ${data.name}`, { kind: "draw", portraits: data.portraits! }, {})
      : rootOf(data);
    for (const forget of data.forget) {
      for (const seed of settings.seeds) {
        const at = `${data.name}/${forget} seed ${seed}`;
        const split = add(folder, device, `split ${at}`, { kind: "split", layout, forget, seed }, {
          data: root,
        });
        const from = { split, data: root };
        const training = { kind: "train", preset: data.preset, recipe, seed } as const;
        const [model, oracle] = [false, true].map((withoutForget) =>
          add(
            folder,
            device,
            `${withoutForget ? "retrain" : "pretrain"} ${at}`,
            { ...training, withoutForget },
            from,
          )
        );
        const [original, retrained] = [model, oracle].map((model) =>
          add(folder, device, `predict ${at}`, { kind: "predict" }, { ...from, model })
        );
        const describe = add(folder, device, `describe ${at}`, { kind: "describe" }, {
          ...from,
          original,
          retrained,
        });
        splits.push({ data: data.name, forget, seed, describe });
        const measure = (name: string, unlearned?: Stage, choose?: Stage) => {
          const stage = add(
            folder,
            device,
            `measure ${name} ${at}`,
            { kind: "measure", measure: settings.measure, seed },
            { ...from, original, retrained, ...(unlearned ? { unlearned } : {}) },
          );
          cells.push({
            data: data.name,
            forget,
            seed,
            method: name,
            measure: stage,
            ...(choose ? { choose } : {}),
          });
        };
        measure(PRETRAIN);
        for (const row of settings.methods) {
          const { name, method } = row;
          const unlearn = (inputs: Record<string, Stage | string>) =>
            add(
              folder,
              device,
              `unlearn ${name} ${at}`,
              { kind: "unlearn", method, seed },
              { ...from, model, oracle, ...inputs },
            );
          if (row.method !== "metaunlearn") {
            const statistics: Record<string, Stage> = NEED_STATISTICS.includes(row.method)
              ? {
                statistics: add(folder, device, `statistics ${at}`, { kind: "statistics" }, {
                  ...from,
                  model,
                }),
              }
              : {};
            const choose = add(
              folder,
              device,
              `choose ${name}'s settings ${at}`,
              {
                kind: "choose",
                method: row.method,
                candidates: candidatesOf(row, data, forget),
                seed,
              },
              { ...from, model, ...statistics },
            );
            measure(name, unlearn({ choose, ...statistics }), choose);
            continue;
          }
          const kit = add(folder, device, `meta-learn ${name} ${at}`, {
            kind: "meta-learn",
            settings: metaLearningOf(data, forget, row.metaLearning),
            seed,
          }, { ...from, model, identityKey });
          measure(name, unlearn({ kit, identityKey }));
          if (settings.sequence && forget > 1) {
            const sequence = add(
              folder,
              device,
              `sequence ${name} ${at}`,
              { kind: "sequence", requests: Math.min(settings.sequence.requests, forget) },
              { ...from, kit, identityKey, retrained },
            );
            sequences.push({ data: data.name, forget, seed, method: name, sequence });
          }
        }
      }
    }
  }
  return { stages: [...stages.values()], splits, cells, sequences };
}

/** The data set's recipe with what the grid changes in it. */
function recipeOf({ recipe: name, training }: DataSettings): TrainingRecipe {
  const recipe = TRAINING_RECIPES.find((recipe) => recipe.name === name);
  if (recipe) return { ...recipe, ...training };
  throw new LetheError(
    `there is no recipe ${name}`,
    `the recipes are ${TRAINING_RECIPES.map(({ name }) => name).join(", ")}`,
    "name one of them",
  );
}

function rootOf({ name, root }: DataSettings): string {
  if (root !== undefined) return root;
  throw new LetheError(
    `the grid does not say where ${name} lies`,
    "data sets other than portraits are read from a folder",
    "name it with --data",
  );
}

/** A row's candidates, each over the published settings; those alone where it has none. */
function candidatesOf(
  { method, candidates = [{}] }: BaselineMethodSettings,
  { layout }: DataSettings,
  forget: number,
): BaselineSettings[Baseline][] {
  return candidates.map((candidate) => ({
    ...publishedSettings(method, layout, forget),
    ...candidate,
  }));
}

/** Published settings, the data set's and the method's, each over the one before. */
export function metaLearningOf(
  data: DataSettings,
  forget: number,
  method: MetaLearningOverrides = {},
): MetaLearnSettings {
  return {
    ...PUBLISHED_META_LEARNING,
    requestSize: forget === 1 ? data.requestSizeForOne : forget,
    ...data.metaLearning,
    ...method,
  };
}
