import { livesInCache } from "../../lib/audit/sandbox/launcher_cache.ts";
import { start, STARTED } from "../../lib/audit/sandbox/start.js";
import { type Command, main } from "./command.ts";
import { endOnce } from "./end_on_signals.ts";
import type { OptionTable } from "./options.ts";
import { standardTerminal } from "../output/terminal.ts";

/**
 * As {@link main}, for a task that starts contained workers: it runs in a private DENO_DIR, which
 * `tasks/start.js` has made; started without that, it starts itself so.
 *
 * @param entry the module, below the project
 */
export async function mainContained<Table extends OptionTable>(
  command: Command<Table>,
  entry: string,
): Promise<never> {
  const [first = "", ...args] = Deno.args;
  if (!first.startsWith(STARTED)) Deno.exit(await start(entry, Deno.args));
  livesInCache(first.slice(STARTED.length));
  void endWithStarter();
  return await main(command, args);
}

/** Whoever started this process holds its standard input, and lets go of it when killed. */
async function endWithStarter(): Promise<void> {
  const buffer = new Uint8Array(512);
  while (await Deno.stdin.read(buffer).catch(() => null) !== null);
  await endOnce(standardTerminal().note, 143);
}
