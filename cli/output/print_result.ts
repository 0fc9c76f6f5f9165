import { lastStep } from "../../lib/files/finish_before_exit.ts";
import { writeWhole } from "../../lib/files/write_whole.ts";
import { jsonLine } from "./json_line.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Prints a command's result: `lines` for people, and `value` as one line of JSON where `--json` asks
 * for it. `--json FILE` writes the file whole or not at all, replacing an old one (which `main` refuses
 * before a command runs); `--json` alone prints JSON in place of the lines. A signal that comes meanwhile
 * waits, and is too late.
 *
 * @param json the value of an option of kind `json`
 * @param value as JSON.stringify takes it: typed arrays have to be made arrays first
 * @throws LetheError the file cannot be written
 */
export async function printResult(
  terminal: Terminal,
  json: string | undefined,
  value: unknown,
  lines: readonly string[],
): Promise<void> {
  await lastStep(async () => {
    if (json === "-") return terminal.print(jsonLine(value));
    if (json !== undefined) await writeWhole(json, JSON.stringify(value) + "\n");
    for (const line of lines) terminal.print(line);
  });
}
