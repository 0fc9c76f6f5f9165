import { LetheError } from "../lib/error.ts";
import { helpText } from "./help.ts";
import type { OptionTable, OptionValues } from "./options.ts";
import { parseOptions } from "./parse.ts";
import { standardTerminal, type Terminal } from "./terminal.ts";

/** A `deno task`: a table of options and what to do with them. */
export interface Command<Table extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  readonly options: Table;
  readonly examples: readonly string[];
  /** @returns the exit code; nothing means 0 */
  run(options: OptionValues<Table>, terminal: Terminal): Promise<number | void>;
}

/** Lets TypeScript read the option values' types off the table. */
export function command<const Table extends OptionTable>(command: Command<Table>): Command<Table> {
  return command;
}

/** Runs a command and gives its exit code; every error becomes one line. */
export async function execute<Table extends OptionTable>(
  command: Command<Table>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  try {
    if (args.includes("--help")) {
      terminal.print(helpText(command));
      return 0;
    }
    return await command.run(parseOptions(command.options, args), terminal) ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    const { line, code } = describe(error);
    terminal.note(`lethe ${command.name}: ${line}`);
    return code;
  }
}

/** An error as one line and an exit code. */
export function describe(error: unknown): { line: string; code: number } {
  if (error instanceof LetheError) return { line: oneLine(error.message), code: error.exitCode };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotFound) {
    return { line: `${oneLine(message)}; the command needs it: check the path`, code: 1 };
  }
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
    return { line: `${oneLine(message)}; the command may not: check rights and paths`, code: 1 };
  }
  if (/os error 28|ENOSPC|No space left/i.test(message)) {
    return {
      line: `${oneLine(message)}; outputs need room: free some or choose another disk`,
      code: 1,
    };
  }
  const where = error instanceof Error
    ? error.stack?.split("\n").find((line) => line.includes("file://"))?.trim() ?? ""
    : "";
  return { line: `unexpected: ${oneLine(message)} ${where}`.trim(), code: 1 };
}

const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, " ");

/** Runs a command with the process's own arguments and streams, and ends the process. */
export async function main<Table extends OptionTable>(command: Command<Table>): Promise<never> {
  const onInterrupt = () => Deno.exit(130);
  Deno.addSignalListener("SIGINT", onInterrupt);
  Deno.exit(await execute(command, Deno.args, standardTerminal()));
}
