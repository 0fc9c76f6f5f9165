import { faultBehind } from "../../lib/tensor/device_fault.ts";
import manifest from "../../deno.json" with { type: "json" };
import { describeError } from "./describe_error.ts";
import { workBegins } from "../../lib/files/kept_when_interrupted.ts";
import { hasGivenUp } from "../../lib/files/interruption.ts";
import { endOnSignals, isEnding, unlessEnding } from "./end_on_signals.ts";
import { helpText } from "./help.ts";
import { checkInputs } from "./inputs.ts";
import { optionName, type OptionTable, type OptionValues } from "./options.ts";
import { parseOptions } from "./parse.ts";
import { enterWorkingFolder } from "./working_folder.ts";
import { standardTerminal, type Terminal } from "../output/terminal.ts";

/** A `deno task`: a table of options and what to do with them. */
export interface Command<Table extends OptionTable> {
  /** As in `deno task NAME`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly options: Table;
  /** The option that a first word without a dash belongs to: `inspect PATH` is `inspect --path PATH`. */
  readonly operand?: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Paragraphs that `--help` prints below the options. */
  readonly notes?: readonly string[];
  /** What exit code 3 says, where it is not that an audit failed. */
  readonly three?: string;
  /** Refuses what the options alone lack, before any path is looked at. @throws UsageError */
  usage?(options: OptionValues<Table>): void;
  /**
   * @param options one value per row of the table
   * @returns the exit code: 0 or nothing done, 1 failed, 3 as `three` says
   */
  run(options: OptionValues<Table>, terminal: Terminal): Promise<number | void>;
}

/** A command whose `run` gets option values typed by its table. */
export function command<const Table extends OptionTable>(command: Command<Table>): Command<Table> {
  return command;
}

/**
 * Runs a command within this process: what tests and other commands call.
 *
 * @returns the exit code; an error has become one line of `terminal.note`
 */
export async function execute<Table extends OptionTable>(
  command: Command<Table>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  try {
    if (args.includes("--help") || args.includes("-h")) {
      terminal.print(helpText(command));
      return 0;
    }
    if (args.includes("--version")) {
      terminal.print(`lethe ${manifest.version}`);
      return 0;
    }
    const options = parseOptions(command.options, named(command.operand, args));
    command.usage?.(options);
    await checkInputs(command.options, options);
    workBegins();
    return await command.run(options, terminal) ?? 0;
  } catch (error) {
    return report(await faultBehind(error), terminal);
  }
}

/** The first word under its option's name, where the command has an option for it. */
export function named(operand: string | undefined, args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  if (operand === undefined || first === undefined || first.startsWith("-")) return args;
  return [`${optionName(operand)}=${first}`, ...rest];
}

/**
 * Runs a command with the process's own streams, and ends the process with its exit code; 130 after
 * Ctrl-C, 143 when it is asked to end, 129 when its terminal goes. Used as
 * `if (import.meta.main) await main(train);`.
 *
 * @param args default the process's own
 */
export async function main<Table extends OptionTable>(
  command: Command<Table>,
  args: readonly string[] = Deno.args,
): Promise<never> {
  const terminal = standardTerminal();
  endOnSignals((line) => terminal.note(line));
  // What a library rejects behind the command's back must not end in a stack trace either.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    if (isEnding()) return; // it ends by the signal, with the signal's exit code and last words
    Deno.exit(report(event.reason, terminal));
  });
  let code: number;
  try {
    code = await execute(command, enterWorkingFolder(args), unlessInterrupted(terminal));
  } catch (error) {
    code = report(error, terminal); // there is no such folder
  }
  await unlessEnding(); // a signal that came in time has an exit code of its own
  Deno.exit(code);
}

/** A terminal on which a command says no more once a signal ends it: the last words are the signal's. */
function unlessInterrupted(terminal: Terminal): Terminal {
  const said = (say: (text: string) => void) => (text: string) => {
    if (!hasGivenUp()) say(text);
  };
  return {
    ...terminal,
    print: said(terminal.print),
    note: said(terminal.note),
    rewrite: said(terminal.rewrite),
  };
}

function report(error: unknown, terminal: Terminal): number {
  const { line, exitCode } = describeError(error);
  if (isEnding()) return exitCode; // what broke is what the signal broke
  terminal.note(`lethe: ${line}`);
  if (stacksWanted()) terminal.note(Deno.inspect(error));
  return exitCode;
}

/** Whether LETHE_DEBUG is set; asked so that a task without the right to read it is not refused. */
function stacksWanted(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "LETHE_DEBUG" });
  return state === "granted" && !!Deno.env.get("LETHE_DEBUG");
}
