import { resolve } from "@std/path";
import { type PlanFile, planFileOf } from "../../lib/benchmark/cluster/plan_file.ts";
import { withAblation } from "../../lib/benchmark/ablations.ts";
import { parseGridSettings } from "../../lib/benchmark/parse_settings.ts";
import { GRID_PRESETS } from "../../lib/benchmark/presets.ts";
import { ABLATIONS, type GridSettings } from "../../lib/benchmark/settings.ts";
import { refuseWithinDataset } from "../../lib/data/outside_dataset.ts";
import { openDataset } from "../../lib/data/open_dataset.ts";
import { LetheError, UsageError } from "../../lib/error.ts";
import { aKind, pathKind } from "../../lib/files/path_kind.ts";
import { readPlainText } from "../../lib/files/plain_file.ts";
import type { OptionTable, OptionValues } from "../command/options.ts";
import { CACHE, DEVICE, openAndAnnounce } from "./shared_options.ts";
import type { Terminal } from "../output/terminal.ts";

const PRESET_NAMES = Object.keys(GRID_PRESETS) as (keyof typeof GRID_PRESETS)[];

/** Which grid, on what data, where and by what. */
export const GRID_OPTIONS = {
  preset: { kind: "choice", of: PRESET_NAMES, help: "a grid that comes with Lethe" },
  settings: {
    kind: "path",
    takes: "grid settings",
    value: "FILE",
    help: "a grid of your own, as JSON (see README)",
  },
  ablation: {
    kind: "choice",
    of: ABLATIONS,
    help: "the grid with MetaUnlearn's variants of Table 5, 6 or 7 in place of its methods",
  },
  data: {
    kind: "path",
    takes: "data",
    value: "ROOT",
    help: "folder of the data sets that the grid gives no root for",
  },
  cache: CACHE,
  out: { kind: "path", default: "benchmark", value: "DIR", help: "where the grid is kept" },
  device: DEVICE,
} as const satisfies OptionTable;

/** A grid's stages and claims would lie among what is in a model, a kit or a folder of requests. */
async function checkGridFolder(out: string): Promise<void> {
  const kind = await pathKind(out);
  const isFile = await Deno.stat(out).then(({ isFile }) => isFile, () => false);
  if (!isFile && (kind === null || kind === "benchmark grid")) return;
  throw new UsageError(
    `${out} is ${kind === null ? "a file" : aKind(kind)}`,
    "--out names a folder of the grid's own",
    "name one that does not exist, or the grid's that is to go on",
  );
}

type GridValues = OptionValues<typeof GRID_OPTIONS>;

/**
 * The grid that is asked for, before an ablation.
 *
 * @throws UsageError none is named, or two are; `out` is no place for a grid, or what it reads is not there
 */
export async function gridOf(
  { preset, settings, data, out }: GridValues,
): Promise<GridSettings> {
  await checkGridFolder(out);
  const grid = withRoot(await settingsOf(preset, settings), data);
  await checkGridInputs(grid, out);
  return grid;
}

/** What a grid reads is there, and is not where it writes, before a device is opened for it. */
async function checkGridInputs(grid: GridSettings, out: string): Promise<void> {
  for (const { name, root, init } of grid.data) {
    for (const [field, path] of [["root", root], ["init", init]] as const) {
      if (path === undefined || await Deno.stat(path).then(() => true, () => false)) continue;
      throw new UsageError(
        `${path} does not exist`,
        `the grid's data set ${name} names it as its ${field}, from where the command is given`,
        field === "root" ? "correct it, or name the folder with --data" : "correct it",
      );
    }
    if (root !== undefined) await refuseWithinDataset(out, root);
  }
}

/**
 * The plan of the grid that is asked for. Stages are named after the adapter that is here; where there
 * is none of the kind that was asked for, as on a cluster's login machine, after the kind.
 *
 * @throws UsageError none is named, or two are
 * @throws LetheError a data set cannot be read
 */
export async function planOf(options: GridValues, terminal: Terminal): Promise<PlanFile> {
  const { device: wanted, ablation, cache } = options;
  const settings = await gridOf(options);
  const device = await openAndAnnounce(wanted, terminal).catch((error) => {
    if (wanted === "auto" || !(error instanceof LetheError)) throw error;
    terminal.note(`lethe: no ${wanted} here; whoever carries the plan out must have it`);
    return { backend: wanted, adapter: wanted };
  });
  const images = new Map<string, number>();
  for (const { name, layout, root, portraits } of settings.data) {
    if (layout === "portraits") {
      images.set(name, portraits!.identities * portraits!.imagesPerIdentity);
    } else if (root !== undefined) {
      images.set(name, (await openDataset(layout, root)).samples.length);
    }
  }
  return planFileOf(
    {
      settings,
      ablation: ablation ?? null,
      out: resolve(options.out),
      device: device.backend,
      adapter: device.adapter,
      cache: cache === undefined ? null : resolve(cache),
    },
    images,
  );
}

/** The grid as it is run: an ablation in place of its methods. */
export function ablated(
  settings: GridSettings,
  ablation: GridSettings["ablation"] | null,
): GridSettings {
  return ablation ? withAblation(settings, ablation) : settings;
}

async function settingsOf(
  preset: keyof typeof GRID_PRESETS | undefined,
  file: string | undefined,
): Promise<GridSettings> {
  if ((preset === undefined) === (file === undefined)) {
    throw new UsageError(
      preset === undefined ? "no grid is named" : "two grids are named",
      "a grid is a preset or a file of settings",
      `give --preset ${PRESET_NAMES.join("|")} or --settings FILE`,
    );
  }
  if (preset !== undefined) return GRID_PRESETS[preset];
  return parseGridSettings(await readPlainText(file!, { maxBytes: 2 ** 20 }), file!);
}

/** Names the folder of those data sets that lack one, and makes paths absolute. */
function withRoot(settings: GridSettings, root: string | undefined): GridSettings {
  return {
    ...settings,
    data: settings.data.map((data) => {
      const init = data.init === undefined ? {} : { init: resolve(data.init) };
      if (data.layout === "portraits") return { ...data, ...init };
      const given = data.root ?? root;
      return { ...data, ...(given === undefined ? {} : { root: resolve(given) }), ...init };
    }),
  };
}
