// Plain JavaScript: of TypeScript, Deno would run the copy that its cache keeps.
import { start } from "../lib/audit/sandbox/start.js";

/** `deno task unlearn` and `deno task audit`: their launchers, started where nothing else has been. */
const [task, ...args] = Deno.args;
Deno.exit(await start(`tasks/${task}.ts`, args));
