import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { printResult } from "../../cli/output/print_result.ts";
import { recordedTerminal } from "./recorded_terminal.ts";
import { temporaryFolder } from "../data/temporary_folder.ts";

const value = { retain: { metric: 0.5 } };
const lines = ["retain", "50.0"];

Deno.test("printResult prints lines for people, or JSON in their place", async () => {
  const people = recordedTerminal();
  await printResult(people, undefined, value, lines);
  assertEquals(people.printed, lines);
  const machine = recordedTerminal();
  await printResult(machine, "-", value, lines);
  assertEquals(machine.printed, ['{"retain":{"metric":0.5}}']);
});

Deno.test("printResult writes a JSON file beside the lines, over an old one", async () => {
  const folder = await temporaryFolder();
  try {
    const file = join(folder, "result.json");
    await Deno.writeTextFile(file, "old");
    const terminal = recordedTerminal();
    await printResult(terminal, file, value, lines);
    assertEquals(terminal.printed, lines);
    assertEquals(JSON.parse(await Deno.readTextFile(file)), value);
    assertEquals([...Deno.readDirSync(folder)].length, 1, "nothing else is left behind");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
