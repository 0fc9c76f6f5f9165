import { dirname, join } from "@std/path";
import { partOf, type PathKind, pathKind } from "../../lib/files/path_kind.ts";
import { INPUTS } from "./input_kinds.ts";
import { optionName, type OptionTable } from "./options.ts";

/** Where in what `unlearn` leaves things of other kinds lie. */
const OF_OUTPUT = ["model", "kit", "receipt.json"];

/** Of a data set's folder, not every image. */
const MOST_LOOKED_AT = 100;

/**
 * What was likely meant by a path of another kind than an option takes: what lies close by, or which option
 * of the command takes it.
 *
 * @param kind what the path is, or what it is a part of
 * @param wanted what the option takes
 * @param table the command's options
 * @returns null where nothing tells
 */
export async function whatElse(
  path: string,
  kind: PathKind,
  wanted: readonly PathKind[],
  table: OptionTable,
): Promise<string | null> {
  const above = dirname(path);
  const holder = await partOf(path);
  if (kind === "picture" && wanted.includes("requests") || holder && wanted.includes(holder)) {
    return `did you mean ${above}, where it lies?`;
  }
  for (const near of await closeBy(path, kind)) {
    const found = await pathKind(near);
    if (found !== null && wanted.includes(found)) return `did you mean ${near}?`;
  }
  if (kind === "kit" && wanted.includes("model")) {
    return "name the model that it was made from (a copy of its config.json and model.safetensors is one)";
  }
  if (kind === "model" && wanted.includes("kit")) {
    return "name the kit that `deno task meta-learn` made from it";
  }
  const option = optionFor(kind, table);
  if (option === null) return null;
  return holder === kind ? `${above}, its folder, belongs to ${option}` : `it belongs to ${option}`;
}

/** The first of a folder's entries that is of a kind that is wanted. */
export async function oneWithin(
  folder: string,
  names: readonly string[],
  wanted: readonly PathKind[],
): Promise<string | null> {
  for (const name of [...names].sort().slice(0, MOST_LOOKED_AT)) {
    const found = await pathKind(join(folder, name));
    if (found !== null && wanted.includes(found)) return join(folder, name);
  }
  return null;
}

/** Paths of other kinds that lie where one of this kind does. */
async function closeBy(path: string, kind: PathKind): Promise<string[]> {
  if (kind === "split index") return [path.replace(/\.index$/, "")];
  const above = dirname(path);
  const folder = kind === "output folder" && await partOf(path) === null
    ? path
    : await pathKind(above) === "output folder"
    ? above
    : null;
  return folder === null ? [] : OF_OUTPUT.map((name) => join(folder, name));
}

/** The command's own option that takes a kind of thing. */
function optionFor(kind: PathKind, table: OptionTable): string | null {
  for (const [key, row] of Object.entries(table)) {
    const takes = "takes" in row ? row.takes : undefined;
    if (takes !== undefined && INPUTS[takes].kinds?.includes(kind)) return optionName(key);
  }
  return null;
}
