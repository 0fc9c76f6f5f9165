import { basename, isAbsolute, join } from "@std/path";
import { LetheError, UsageError } from "../../error.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { Kind } from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { refuseExisting, writeWhole } from "../../files/write_whole.ts";
import type { Device } from "../../tensor/device.ts";
import { withAblation } from "../ablations.ts";
import { parseGridSettings } from "../parse_settings.ts";
import { type GridPlan, planGrid } from "../plan.ts";
import { ABLATIONS, type GridSettings } from "../settings.ts";
import type { Stage } from "../stage.ts";
import { type Estimate, estimateStage } from "./estimate.ts";

/**
 * A grid's plan as `jobs.json` holds it; README.md of lib/benchmark/cluster says how an engine runs it.
 */
export interface PlanFile {
  readonly version: 1;
  /** The grid's settings, before an ablation. */
  readonly settings: GridSettings;
  readonly ablation: GridSettings["ablation"] | null;
  /** The grid's folder, absolute: the same path on every machine. */
  readonly out: string;
  /** What computes; `--device` of every stage. */
  readonly device: Device["backend"];
  /** The adapter that stages are named after; another one of its kind may make them. */
  readonly adapter: string;
  /** A folder that keeps decoded images, or null. */
  readonly cache: string | null;
  /** Inputs before what needs them. */
  readonly stages: readonly PlannedJob[];
}

/** One stage of a plan: what an engine needs to know of it. */
export interface PlannedJob {
  /** `--stage HASH`: the name of the folder that it makes. */
  readonly hash: string;
  /** For people. */
  readonly title: string;
  /** 0 for stages that need none; otherwise one more than the highest of those that it needs. */
  readonly layer: number;
  /** Hashes of the stages that must be done first. */
  readonly needs: readonly string[];
  readonly estimate: Estimate;
}

/** A plan file's grid, laid out. */
export interface ReadPlan {
  readonly file: PlanFile;
  readonly settings: GridSettings;
  readonly plan: GridPlan;
}

/** A stage's name: that of its folder. */
export function hashOf({ out }: Pick<Stage, "out">): string {
  return basename(out);
}

/** Where a grid's folder keeps its plan. */
export function planPathIn(out: string): string {
  return join(out, "jobs.json");
}

/** Lays a grid out for an engine. @param images number of images by data set, where it is known */
export function planFileOf(
  grid: Omit<PlanFile, "version" | "stages">,
  images: ReadonlyMap<string, number>,
): PlanFile {
  const settings = grid.ablation ? withAblation(grid.settings, grid.ablation) : grid.settings;
  const { stages } = planGrid(settings, grid.out, grid.adapter);
  const layers = new Map<string, number>();
  const byFolder = new Map(stages.map((stage) => [stage.out, stage]));
  return {
    version: 1,
    ...grid,
    stages: stages.map((stage) => {
      const layer = Math.max(-1, ...stage.needs.map((need) => layers.get(need)!)) + 1;
      layers.set(stage.out, layer);
      return {
        hash: hashOf(stage),
        title: stage.title,
        layer,
        needs: stage.needs.map((out) => hashOf({ out })),
        estimate: estimateStage(stage, byFolder, grid.device, images),
      };
    }),
  };
}

/** Writes a plan. @throws LetheError the file cannot be written */
export async function writePlan(path: string, plan: PlanFile): Promise<void> {
  await writeWhole(path, textOf(plan));
}

function textOf(plan: PlanFile): string {
  return JSON.stringify(plan, null, 1) + "\n";
}

/**
 * Refuses to write a plan over anything but itself: jobs of another one may be on their way, or the file
 * may be anything.
 *
 * @param plan what is to be written; null while it is not known: then over any plan
 * @throws LetheError something else lies there
 */
export async function refuseOverOther(path: string, plan: PlanFile | null): Promise<void> {
  const isPlan =
    await (plan === null
      ? readPlan(path).then(() => true, () => false)
      : readPlainText(path, { maxBytes: MAX_BYTES }).then((text) => text === textOf(plan), () =>
        false));
  if (!isPlan) await refuseExisting(path, "give --plan another name, or move the old one away");
}

const MAX_BYTES = 64 * 2 ** 20;
const REMEDY = "make it again with `deno task benchmark --plan FILE`";
const PATH = is.line(4096);
/** Stages are made from any folder, and on other machines. */
const ABSOLUTE: Kind<string> = {
  rule: `an absolute path, ${PATH.rule}`,
  accepts: (value): value is string => PATH.accepts(value) && isAbsolute(value),
};
const NULL_OR = <T>(kind: Kind<T>): Kind<T | null> => ({
  rule: `null or ${kind.rule}`,
  accepts: (value): value is T | null => value === null || kind.accepts(value),
});

/**
 * Reads a plan and lays its grid out again.
 *
 * @throws LetheError the file is missing, damaged, or lists other stages than this Lethe makes of its
 *   settings
 */
export async function readPlan(path: string): Promise<ReadPlan> {
  const text = await readPlainText(path, { maxBytes: MAX_BYTES, remedy: REMEDY });
  const record = parseJsonObject(text, path, REMEDY);
  const fields = new JsonFields(record, path, REMEDY);
  fields.read("version", is.integer(1, 1));
  const out = fields.read("out", ABSOLUTE);
  const device = fields.read("device", is.oneOf(["webgpu", "wasm"] as const));
  const adapter = fields.read("adapter", is.line(1000));
  const cache = fields.read("cache", NULL_OR(ABSOLUTE));
  const ablation = fields.read("ablation", NULL_OR(is.oneOf(ABLATIONS)));
  const given = parseGridSettings(
    JSON.stringify(fields.read("settings", is.OBJECT)),
    `${path}: settings`,
  );
  const stages = fields.read("stages", is.list(is.OBJECT, 1, 1_000_000));
  const settings = ablation ? withAblation(given, ablation) : given;
  const plan = planGrid(settings, out, adapter);
  const same = stages.length === plan.stages.length &&
    plan.stages.every((stage, i) => stages[i].hash === hashOf(stage));
  if (!same) {
    throw new LetheError(
      `${path} lists other stages than this Lethe makes of its settings`,
      "a plan and the Lethe that carries it out are of one version",
      REMEDY,
    );
  }
  // Every field that is used has been held against its kind.
  const file = { ...(record as unknown as PlanFile), out, device, adapter, cache, ablation };
  return { file: { ...file, settings: given }, settings, plan };
}

/**
 * Reads the plan that lies in a grid's folder, to be carried out there.
 *
 * @throws UsageError the folder is not where its plan was laid out
 * @throws LetheError as {@link readPlan}
 */
export async function readPlanOf(out: string): Promise<ReadPlan> {
  const path = planPathIn(out);
  const read = await readPlan(path);
  const [here, there] = await Promise.all(
    [out, read.file.out].map((folder) => Deno.realPath(folder).catch(() => null)),
  );
  if (here === there) return read;
  throw new UsageError(
    `${path} is the plan of ${read.file.out}`,
    "stages are made where their plan says",
    "move the folder back there, or lay the grid out anew in another with --plan and --out",
  );
}
