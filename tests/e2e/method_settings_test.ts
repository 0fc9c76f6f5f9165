import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { methodOf, publishedSettings } from "../../lib/unlearn/methods.ts";
import { json, unlearning } from "./kit_folder.ts";
import { doneHere, runHere } from "./run_here.ts";
import { inCopy, META_LEARN, REQUEST_SIZE } from "./small_path.ts";

Deno.test("meta-learn chooses settings by simulated requests, for methods it has the statistics of", () =>
  inCopy(async (folder) => {
    const rest = "--epochs 1 --device wasm --statistics importances --method-settings chosen";
    const size = ["--request-size", String(REQUEST_SIZE), "--out", "chosen"];
    const { err } = await runHere(
      "meta-learn",
      [...META_LEARN, ...rest.split(" "), ...size],
      folder,
    );
    assertStringIncludes(err, "identity key: chosen.identity-key (new and secret: keep it");
    const { methods, statistics, record, files, stepRanges } = await json(
      folder,
      "chosen/kit.json",
    );
    // Of every method that it can be used for.
    assertEquals(Object.keys(stepRanges), ["metaunlearn", "ssd", "jit", "influence"]);
    for (const { requests, low, high } of Object.values(stepRanges) as Record<string, number>[]) {
      assert(requests > 3 && low <= high && high > 0);
    }
    const { retain, forget } = (await json(folder, "split.json")).identities;
    const images = 4 * retain.length + 3 * forget.length; // no support image among them
    assertEquals(statistics, { images, batchSize: 128, stale: false });
    const names = files.map(({ file }: { file: string }) => file);
    assert(names.includes("importances.safetensors") && !names.includes("covariances.safetensors"));
    assertStringIncludes(methods.source, "ssd, jit, influence chosen on simulated requests");
    assertEquals(methods.pgu, publishedSettings(methodOf("pgu"), "celeba", 3));
    for (const method of ["ssd", "jit", "influence"] as const) {
      const trials: { settings: unknown; estimate: { tugOfWar: number } | null }[] =
        record.trials[method];
      const tried = trials.map(({ settings }) => settings);
      const { candidates } = methodOf(method);
      // What follows the candidates lies beyond the edge at which the best of them was.
      assertEquals(tried.slice(0, candidates.length), [...candidates]);
      assertEquals(new Set(tried.map((settings) => JSON.stringify(settings))).size, tried.length);
      const tow = trials.map(({ estimate }) => estimate?.tugOfWar ?? -1);
      assertEquals(methods[method], trials[tow.indexOf(Math.max(...tow))].settings);
    }

    const by = (
      method: string,
    ) => [...unlearning("requests", "chosen", method), "--method", method];
    const said = await doneHere("unlearn", by("ssd"), folder);
    const { selection, dampening } = methods.ssd;
    assertStringIncludes(said, `method: ssd (selection ${selection}, dampening ${dampening})`);
    const refused = await runHere(
      "unlearn",
      [...by("pgu"), "--branch", "--reason", "trial"],
      folder,
    );
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.err, "--method pgu with a kit without covariances; ");
    assert(!refused.out.includes("worker:"), "it is refused before the worker starts");
  }));
