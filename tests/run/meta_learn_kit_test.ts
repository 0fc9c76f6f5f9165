import { assertEquals, assertRejects } from "@std/assert";
import { META_OPTIONS, metaLearnSettings } from "../../cli/options/meta_options.ts";
import { parseOptions } from "../../cli/command/parse.ts";
import { UsageError } from "../../lib/error.ts";
import type { MetaLossInput } from "../../lib/model/meta_loss/meta_loss_inputs.ts";
import { metaLearnKit } from "../../lib/run/meta_learn_kit.ts";
import { openDevice } from "../../lib/tensor/device.ts";

const REFUSED: readonly [readonly MetaLossInput[], string][] = [
  [["targets"], "--inputs targets; without the model's logits and features"],
  [["targets", "identities"], "add logits, features or both"],
  [[], "add logits, features or both"],
  [["logits", "targets", "logits"], "no input is listed twice: drop one logits"],
];

for (const [inputs, message] of REFUSED) {
  Deno.test(`metaLearnKit refuses to learn from [${inputs}], before it reads anything`, async () => {
    const device = await openDevice("wasm");
    const settings = { ...metaLearnSettings(parseOptions(META_OPTIONS, [])), inputs };
    const missing = "no/such/path";
    const paths = { model: missing, split: missing, data: missing, out: missing };
    const refusal = await assertRejects(
      () => metaLearnKit({ device, ...paths, settings, seed: 0, microBatch: 1 }),
      UsageError,
      message,
    );
    assertEquals(refusal.exitCode, 2);
  });
}
