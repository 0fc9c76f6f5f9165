import { basename, dirname, join } from "@std/path";
import { closestName } from "../../lib/closest_name.ts";
import { UsageError } from "../../lib/error.ts";
import { refuseExisting } from "../../lib/files/write_whole.ts";
import { aKind, partOf, pathKind } from "../../lib/files/path_kind.ts";
import { type Input, INPUTS } from "./input_kinds.ts";
import { oneWithin, whatElse } from "./what_else.ts";
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
    for (const path of paths) await checkInput(optionName(key), path, input, table);
  }
}

/**
 * Looks at one path.
 *
 * @param option as it is written
 * @param table the command's options, one of which it may belong to
 * @throws UsageError it is not there, or is another kind of thing
 */
export async function checkInput(
  option: string,
  path: string,
  input: Input,
  table: OptionTable = {},
): Promise<void> {
  const { a, kinds, shape, signs, made, make } = INPUTS[input];
  if (!await isThere(path)) {
    if (made) return;
    const near = await neighbour(path);
    throw new UsageError(
      `${path} does not exist`,
      `${option} names ${a}`,
      near === null ? make?.(path) ?? "check the path" : `did you mean ${near}?`,
    );
  }
  const refusal = (what: string, remedy = make?.(null) ?? `name ${a}`) =>
    new UsageError(`${path} ${what}`, `${option} names ${a}`, remedy);
  const kind = await pathKind(path);
  const whole = kind === null && kinds !== null ? await partOf(path) : null;
  if (whole !== null || kind !== null && kinds !== null && !kinds.includes(kind)) {
    const what = whole === null ? aKind(kind!) : `a file of ${aKind(whole)}`;
    throw refusal(`is ${what}`, await whatElse(path, kind ?? whole!, kinds!, table) ?? `name ${a}`);
  }
  const info = await Deno.stat(path).catch(() => null); // a link to nothing is its reader's to refuse
  const wrong = shape === "folder" ? info?.isFile : shape === "file" ? info?.isDirectory : false;
  if (wrong) throw refusal(`is ${shape === "folder" ? "a file" : "a folder"}`);
  if (kind !== null && kinds !== null || signs === undefined || !info?.isDirectory) return;
  const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => null);
  if (entries === null) return; // what cannot be listed is its reader's to explain
  const names = entries.map(({ name }) => name).filter((name) => !name.startsWith("."));
  const [sign, without] = signs;
  if (names.some((name) => sign.test(name))) return;
  const within = await oneWithin(path, names, kinds ?? []);
  const what = names.length === 0 ? "is empty" : without;
  throw refusal(
    what,
    within === null ? make?.(null) ?? "check the path" : `did you mean ${within}?`,
  );
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
