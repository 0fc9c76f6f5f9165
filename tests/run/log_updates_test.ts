import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { openUpdates, updatesFolder } from "../../lib/run/memory/stored_updates.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { checkLogSize } from "../../lib/run/memory/update_state.ts";
import { trainModel } from "../../lib/run/train_model.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { bytesOf, smallSplit } from "./small_split.ts";

Deno.test("trainModel logs the same updates when it was stopped, and the weights are the same without", () =>
  inTemporaryFolder(async (folder) => {
    const options = await smallSplit(folder);
    const at = (name: string) => join(folder, name);
    await trainModel({ ...options, out: at("plain") });
    await trainModel({ ...options, out: at("whole"), logUpdates: 2 });
    const stop = () =>
      trainModel({
        ...{ ...options, out: at("stopped"), logUpdates: 2 },
        onProgress({ note }) {
          if (note?.startsWith("epoch 3/")) throw new Error("enough");
        },
      });
    await assertRejects(stop, Error, "enough");
    assertEquals([...Deno.readDirSync(at("stopped.training.updates"))].map(({ name }) => name), [
      "epoch-2.f32",
    ]);
    await trainModel({ ...options, out: at("stopped"), logUpdates: 2 });
    assertEquals(bytesOf(updatesFolder(at("stopped"))), bytesOf(updatesFolder(at("whole"))));
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(left.filter((name) => name.includes(".training")), []);
    const weights = (name: string) => Deno.readFileSync(at(`${name}/model.safetensors`)).join();
    assertEquals(weights("whole"), weights("plain"));

    const model = await readModel(at("whole"));
    const { sha256, split } = await openSplit(options.split, options.data);
    const updates = await openUpdates(updatesFolder(at("whole")), model, sha256);
    assertEquals(updates.rank, 2);
    const step = await updates.step(split.identities.forget[0]);
    for (const [name, { shape }] of model.theta) {
      assertEquals(step.get(name)!.shape, [...shape]);
      assert(step.get(name)!.values.some((x) => x !== 0), name);
    }
    await assertRejects(() => updates.step("nobody"), LetheError, "no updates of nobody");
    const other = updatesFolder(at("whole"));
    await assertRejects(() => openUpdates(other, model, "0".repeat(64)), LetheError, "its split");
    // Told when they are opened, before the epochs: not when the rows are made.
    const open = () => openUpdates(other, model, sha256);
    await Deno.truncate(join(other, "1.safetensors"), 100);
    await assertRejects(open, LetheError, "1.safetensors has 100 bytes, others");
    await Deno.remove(join(other, "0.safetensors"));
    await assertRejects(open, LetheError, "0.safetensors does not exist");
  }));

Deno.test("checkLogSize lets small models through and refuses ViT-B with many people, saying what it takes", () => {
  checkLogSize(10_000, 50_000);
  const base = () => checkLogSize(1000, 86_000_000);
  assertThrows(base, LetheError, "it keeps 640.7 GiB in memory, and 8 GiB are the most");
});
