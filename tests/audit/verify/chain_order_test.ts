import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { needOrder } from "../../../cli/audit/chain_order.ts";
import { UsageError } from "../../../lib/error.ts";
import { execute } from "../../../cli/command/command.ts";
import { recordedTerminal } from "../../cli/recorded_terminal.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";
import { TASKS } from "../../e2e/all_tasks.ts";

const [WEIGHTS, OTHER] = ["a".repeat(64), "b".repeat(64)];
const making = (step: string, made: string, from: string | null) =>
  JSON.stringify({ version: "making 1", step, made: { weights: made }, from });
const FILES = {
  "model.receipt.json": making("train", WEIGHTS, null),
  "another.receipt.json": making("train", OTHER, null),
  "kits/kit.receipt.json": making("meta-learn", WEIGHTS, WEIGHTS),
  "out/receipt.json": JSON.stringify({ version: 2, requests: [] }),
  "next/receipt.json": JSON.stringify({ version: 2, requests: [] }),
  "altered.json": "{",
};

Deno.test("needOrder tells a receipt that is missing, where it was looked for or lies, and an order that is another", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, FILES);
    const told = (...names: string[]) =>
      needOrder(names.map((name) => join(folder, name))).then(
        () => "in order",
        (error) => {
          if (!(error instanceof UsageError)) throw error;
          return error.message.replaceAll(`${folder}/`, "");
        },
      );
    const [model, kit, run, next] = [
      "model.receipt.json",
      "kits/kit.receipt.json",
      "out/receipt.json",
      "next/receipt.json",
    ];
    const signed = "where it is given a --signing-key: ";
    const ofModel = `train writes it beside the model (MODEL.receipt.json) ${signed}`;
    const ofKit = `meta-learn writes it beside the kit (KIT.receipt.json) ${signed}`;
    assertEquals(await told(model, kit, run, next), "in order");
    assertEquals(
      await told(kit, run),
      `--chain ${kit},${run} holds no receipt of a model; ${ofModel}it was looked for in the list ` +
        "and beside what that names (kits/*.receipt.json, out/*.receipt.json): add it",
    );
    await Deno.copyFile(join(folder, model), join(folder, "kits/m.receipt.json"));
    await Deno.copyFile(join(folder, "another.receipt.json"), join(folder, "kits/a.receipt.json"));
    assertEquals(
      await told(kit, run),
      `--chain ${kit},${run} holds no receipt of a model; ${ofModel}did you mean --chain ` +
        `kits/m.receipt.json,${kit},${run}?`,
    );
    assertEquals(
      await told(model, run),
      `--chain ${model},${run} holds no receipt of a kit; ${ofKit}it was looked for in the list ` +
        `and beside what that names (*.receipt.json, out/*.receipt.json): add it`,
    );
    assertEquals(
      await told(run, kit, next, model),
      `--chain ${run},${kit},${next},${model} is in another order; a chain goes from the model by ` +
        `its kit to the requests: give --chain ${model},${kit},${run},${next}`,
    );
    // What cannot be made out may be any of them: its reader judges it.
    assertEquals(await told("altered.json", kit, run), "in order");
    const terminal = recordedTerminal();
    const chain = [kit, run].map((name) => join(folder, name)).join();
    assertEquals(await execute(TASKS.audit, ["--chain", chain], terminal), 2);
  }));
