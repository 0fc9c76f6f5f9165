import { join } from "@std/path";
import { LetheError } from "../error.ts";
import {
  type Add,
  planChoice,
  planKit,
  planMemory,
  type SplitOrder,
} from "./plan/method_stages.ts";
import { recipeOf } from "./resolve_settings.ts";
import type { DataSettings, GridSettings } from "./settings.ts";
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

/** Where a grid keeps who makes each stage, and who made it. */
export function claimsFolder(out: string): string {
  return join(out, "claims");
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
  const stages = new Map<string, Stage>();
  const add: Add = (title, task, inputs) => {
    const stage = makeStage(stagesFolder(out), device, title, task, inputs);
    stages.set(stage.out, stages.get(stage.out) ?? stage);
    return stages.get(stage.out)!;
  };
  const parts: Omit<GridPlan, "stages">[] = [];
  for (const data of settings.data) {
    const root = data.layout === "portraits"
      ? add(`draw ${data.name}`, { kind: "draw", portraits: data.portraits! }, {})
      : rootOf(data);
    for (const forget of data.forget) {
      for (const seed of settings.seeds) {
        parts.push(planSplit({ settings, data, root, forget, seed, key: identityKeyOf(out), add }));
      }
    }
  }
  return {
    stages: [...stages.values()],
    splits: parts.flatMap(({ splits }) => splits),
    cells: parts.flatMap(({ cells }) => cells),
    sequences: parts.flatMap(({ sequences }) => sequences),
  };
}

/** All cells of one split. */
function planSplit(order: SplitOrder): Omit<GridPlan, "stages"> {
  const { settings, data, root, forget, seed, add } = order;
  const at = `${data.name}/${forget} seed ${seed}`;
  const layout = data.layout === "portraits" ? "celeba" : data.layout;
  const split = add(`split ${at}`, { kind: "split", layout, forget, seed }, { data: root });
  const from = { split, data: root, ...(data.init === undefined ? {} : { init: data.init }) };
  const training = { kind: "train", preset: data.preset, recipe: recipeOf(data), seed } as const;
  const model = add(`pretrain ${at}`, { ...training, withoutForget: false }, from);
  const oracle = add(`retrain ${at}`, { ...training, withoutForget: true }, from);
  const [original, retrained] = [model, oracle].map((model) =>
    add(`predict ${at}`, { kind: "predict" }, { ...from, model })
  );
  const describe = add(`describe ${at}`, { kind: "describe" }, { ...from, original, retrained });
  const place = { data: data.name, forget, seed };
  const cell = (method: string, unlearned?: Stage, choose?: Stage): PlannedCell => ({
    ...place,
    method,
    measure: add(
      `measure ${method} ${at}`,
      { kind: "measure", measure: settings.measure, seed },
      { ...from, original, retrained, ...(unlearned ? { unlearned } : {}) },
    ),
    ...(choose ? { choose } : {}),
  });
  const cells = [cell(PRETRAIN)];
  const sequences: PlannedSequence[] = [];
  for (const row of settings.methods) {
    const { name, method } = row;
    const inputs = method === "metaunlearn"
      ? planKit(order, row, at, { ...from, model })
      : method === "memory"
      ? planMemory(order, row, at, { ...from, model })
      : planChoice(order, row, at, { ...from, model });
    const ranked = method === "memory" ? { rank: row.rank } : {};
    const unlearned = add(
      `unlearn ${name} ${at}`,
      { kind: "unlearn", method, seed, ...ranked },
      { ...from, model, oracle, ...inputs },
    );
    cells.push(cell(name, unlearned, inputs.choose));
    const serves = method === "metaunlearn" || method === "memory";
    if (!serves || !settings.sequence || forget === 1) continue;
    const requests = Math.min(settings.sequence.requests, forget);
    const sequence = add(
      `sequence ${name} ${at}`,
      { kind: "sequence", requests, ...ranked },
      { ...from, ...(method === "memory" ? { model } : {}), ...inputs, retrained },
    );
    sequences.push({ ...place, method: name, sequence });
  }
  return { splits: [{ ...place, describe }], cells, sequences };
}

function rootOf({ name, root }: DataSettings): string {
  if (root !== undefined) return root;
  throw new LetheError(
    `the grid does not say where ${name} lies`,
    "data sets other than portraits are read from a folder",
    "name it with --data",
  );
}
