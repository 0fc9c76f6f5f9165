import { LetheError } from "../error.ts";

/**
 * Refuses a path, read from a file, that could lead out of the folder it is meant for: absolute,
 * with a drive, a backslash, a control character, or a step that is empty, `.` or `..`.
 *
 * @param path relative, with forward slashes
 * @param where the file and line that name it, for the error
 * @returns the path
 * @throws {LetheError} when the path is not of that kind
 */
export function checkedRelativePath(path: string, where: string): string {
  const steps = path.split("/");
  const inside = path.length <= 4096 &&
    // deno-lint-ignore no-control-regex -- they are what is looked for
    !/[\\\x00-\x1f\x7f]|^[A-Za-z]:/.test(path) &&
    steps.every((step) => step !== "" && step !== "." && step !== "..");
  if (inside) return path;
  throw new LetheError(
    `${where} names ${JSON.stringify(path)}`,
    "file names stay inside their folder: relative, forward slashes, no `..`",
    "correct the name",
  );
}
