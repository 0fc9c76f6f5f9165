import { execute } from "../../cli/command/command.ts";
import { optionName } from "../../cli/command/options.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";
import { TASKS } from "./all_tasks.ts";
import type { Ended, TaskName } from "./run_task.ts";

/**
 * Runs a task to its end in this process, which spares its start: for all that does not depend on the
 * permissions of its line in deno.json. Test files share one working folder, so that relative paths
 * are made absolute on the way in, and relative again in what the task says.
 *
 * @param folder what relative paths in `args` are below
 */
export async function runHere(
  name: TaskName,
  args: readonly string[],
  folder: string,
): Promise<Ended> {
  const terminal = recordedTerminal();
  const code = await execute(TASKS[name], absolute(name, args, folder), terminal);
  const said = (lines: readonly string[]) =>
    lines.map((line) => `${line}\n`).join("").replaceAll(`${folder}/`, "");
  return { code, out: said(terminal.printed), err: said(terminal.noted) };
}

/** Runs a task that must succeed in this process; gives its standard output. */
export async function doneHere(
  name: TaskName,
  args: readonly string[],
  folder: string,
): Promise<string> {
  const { code, out, err } = await runHere(name, args, folder);
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}\n${out}${err}`);
  return out;
}

/** Values of options that are paths, below the folder; what follows `..` in them stays as it is. */
function absolute(name: TaskName, args: readonly string[], folder: string): string[] {
  const paths = Object.entries(TASKS[name].options)
    .filter(([, { kind }]) => kind === "path" || kind === "json")
    .map(([key]) => optionName(key));
  return args.map((arg, i) =>
    i > 0 && paths.includes(args[i - 1]) && !arg.startsWith("/") ? `${folder}/${arg}` : arg
  );
}
