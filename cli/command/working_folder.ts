import { UsageError } from "../../lib/error.ts";

/**
 * How deno.json's task lines begin what they hand over: the folder in which the user called the task.
 * Deno runs tasks in the folder of deno.json, and keeps the other one in INIT_CWD, which a task has no
 * permission to read.
 */
export const HANDED_OVER = "--in-folder=";

/**
 * Goes to the folder that the task line hands over, so that every path of the command line is relative
 * to where the user stands.
 *
 * @returns the arguments of the user's own
 * @throws UsageError there is no such folder
 */
export function enterWorkingFolder(args: readonly string[]): readonly string[] {
  if (!args[0]?.startsWith(HANDED_OVER)) return args;
  const folder = args[0].slice(HANDED_OVER.length);
  if (folder !== "") {
    try {
      Deno.chdir(folder);
    } catch (cause) {
      throw new UsageError(
        `${folder} cannot be entered`,
        "paths are relative to the folder in which the command was called (INIT_CWD)",
        "call it in a folder that is there",
        { cause },
      );
    }
  }
  return args.slice(1);
}
