import { basename, dirname, join } from "@std/path";
import { closestName } from "../../lib/closest_name.ts";
import { UsageError } from "../../lib/error.ts";
import { refuseExisting } from "../../lib/files/write_whole.ts";
import { aKind, type PathKind, pathKind } from "../../lib/files/path_kind.ts";
import { type Input, INPUTS } from "./input_kinds.ts";
import { optionName, type OptionTable } from "./options.ts";

/**
 * Looks at every path of a command line that the command will read: it is there, and it is the kind of
 * thing that its option takes. What is in it, its reader checks. A file that is to be written with a
 * result is not there yet: a name mistyped would cost a split, or a request's photograph.
 *
 * @throws LetheError a file for the result is there
 * @throws UsageError a path is not there, or is another kind of thing
 */
export async function checkInputs(
  table: OptionTable,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const [key, row] of Object.entries(table)) {
    const file = values[key];
    if (row.kind === "json" && typeof file === "string" && file !== "-") {
      await refuseExisting(file, `give ${optionName(key)} another name, or move the old one away`);
    }
    const input = "takes" in row ? row.takes : undefined;
    const given = values[key];
    if (input === undefined || given === undefined) continue;
    const paths = Array.isArray(given) ? given as readonly string[] : [given as string];
    for (const path of paths) await checkInput(optionName(key), path, input);
  }
}

/**
 * Looks at one path.
 *
 * @param option as it is written
 * @throws UsageError it is not there, or is another kind of thing
 */
export async function checkInput(option: string, path: string, input: Input): Promise<void> {
  const { a, kinds, shape, make } = INPUTS[input];
  if (!await isThere(path)) {
    const near = await neighbour(path);
    throw new UsageError(
      `${path} does not exist`,
      `${option} names ${a}`,
      near === null ? make?.(path) ?? "check the path" : `did you mean ${near}?`,
    );
  }
  const kind = await pathKind(path);
  if (kind !== null && kinds !== null && !kinds.includes(kind)) {
    throw new UsageError(
      `${path} is ${aKind(kind)}`,
      `${option} names ${a}`,
      await remedyFor(path, kind, kinds) ?? make?.(path) ?? `name ${a}`,
    );
  }
  const info = await Deno.stat(path).catch(() => null); // a link to nothing is its reader's to refuse
  const wrong = shape === "folder" ? info?.isFile : shape === "file" ? info?.isDirectory : false;
  if (!wrong) return;
  const found = shape === "folder" ? "a file" : "a folder";
  throw new UsageError(`${path} is ${found}`, `${option} names ${a}`, make?.(path) ?? `name ${a}`);
}

/** Where in what `unlearn` leaves the other kinds of things lie. */
const IN_OUTPUT: Partial<Record<PathKind, string>> = {
  model: "model",
  kit: "kit",
  receipt: "receipt.json",
};

/** What was likely meant, where it lies close by; else what to name. */
async function remedyFor(
  path: string,
  kind: PathKind,
  wanted: readonly PathKind[],
): Promise<string | null> {
  const above = dirname(path);
  const folder = kind === "output folder"
    ? path
    : await pathKind(above) === "output folder"
    ? above
    : null;
  for (const each of folder === null ? [] : wanted) {
    const name = IN_OUTPUT[each];
    if (name !== undefined && await pathKind(join(folder!, name)) === each) {
      return `did you mean ${join(folder!, name)}?`;
    }
  }
  if (kind === "kit" && wanted.includes("model")) {
    return "name the model that it was made from (a copy of its config.json and model.safetensors is one)";
  }
  if (kind === "model" && wanted.includes("kit")) {
    return "name the kit that `deno task meta-learn` made from it";
  }
  const takesFolder = wanted.includes("requests");
  return kind === "picture" && takesFolder ? `did you mean ${above}, where it lies?` : null;
}

/** What lies beside a path that is not there, and has nearly its name. */
async function neighbour(path: string): Promise<string | null> {
  const folder = dirname(path);
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  const near = closestName(basename(path), entries.map(({ name }) => name));
  return near === null ? null : folder === "." ? near : join(folder, near);
}

function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(
    () => true,
    (error) =>
      // What cannot be looked at is its reader's to explain.
      !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory),
  );
}
