import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { parseOptions } from "../../cli/command/parse.ts";
import { UNLEARN_OPTIONS } from "../../cli/options/unlearn_options.ts";
import { unlearnOptions } from "../../cli/unlearn/run_options.ts";
import { LetheError } from "../../lib/error.ts";
import { inspectKit } from "../../lib/inspect/inspect_kit.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { checkMethod, methodsServed } from "../../lib/unlearn/check_method.ts";
import { KIT_METHODS } from "../../lib/unlearn/methods.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";

const kit = fromFileUrl(new URL("../../fixtures/4832d1b/kit", import.meta.url));

Deno.test("methodsServed are those whose files the kit has, and checkMethod refuses each other one", async () => {
  const { manifest } = await readManifest(kit);
  const without = (...names: string[]) => ({
    files: manifest.files.filter(({ file }) => !names.includes(file)),
  });
  const [importances, covariances] = ["importances.safetensors", "covariances.safetensors"];
  for (
    const [files, served] of [
      [without(), ["metaunlearn", "ssd", "pgu", "jit", "influence"]],
      [without(covariances), ["metaunlearn", "ssd", "jit", "influence"]],
      [without(importances, covariances), ["metaunlearn", "jit"]],
    ] as const
  ) {
    assertEquals(methodsServed(files), [...served]);
    for (const method of KIT_METHODS) {
      if ((served as readonly string[]).includes(method)) checkMethod(files, method);
      else assertThrows(() => checkMethod(files, method), LetheError, `--method ${method} with`);
    }
  }
});

Deno.test("inspectKit lists what unlearnOptions takes from that kit, which refuses others before it begins", async () => {
  const { serves } = (await inspectKit(kit)).value;
  const taken: string[] = [];
  for (const method of KIT_METHODS) {
    const given = parseOptions(UNLEARN_OPTIONS, ["--kit", kit, "--method", method]);
    await unlearnOptions("nowhere", given, recordedTerminal()).then(
      () => taken.push(method),
      (error) => assertEquals(error.value.startsWith(`--method ${method} with a kit`), true),
    );
  }
  assertEquals(taken, serves);
  assertEquals(taken.includes("memory"), false);
});
