import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { samplesOf } from "../../lib/data/split.ts";
import { LetheError } from "../../lib/error.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { Random } from "../../lib/random.ts";
import { checkFoldModels, foldModels } from "../../lib/run/memory/fold_models.ts";
import { foldFolder } from "../../lib/run/memory/folds_file.ts";
import { peopleOf } from "../../lib/run/memory/people_of.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { trainModel } from "../../lib/run/train_model.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { smallSplit } from "./small_split.ts";

Deno.test("foldModels trained two at once are those that are trained one after the other", () =>
  inTemporaryFolder(async (folder) => {
    const options = await smallSplit(folder);
    const { device, split, data } = options;
    const recipe = { ...options.recipe, epochs: 1 };
    await trainModel({ ...options, recipe, out: join(folder, "model") });
    const opened = await openSplit(split, data);
    const model = await readModel(join(folder, "model"));
    const { identities } = peopleOf(samplesOf(opened.split, opened.dataset, "train"), 0);
    const weights = async (name: string, atOnce: number) => {
      const made = await foldModels({
        ...{ device, model, split, data, identities, atOnce, count: 3, sets: 1 },
        modelFolder: join(folder, "model"),
        splitHash: opened.sha256,
        folder: join(folder, name),
        random: new Random(0, "folds"),
      });
      assertEquals(made.count, 3);
      return await Promise.all(
        [0, 1, 2].map(async (fold) =>
          (await Deno.readFile(join(foldFolder(join(folder, name), 0, fold), "model.safetensors")))
            .join()
        ),
      );
    };
    const check = (name: string, from = "model") =>
      checkFoldModels({
        ...{ model, identities, count: 3, sets: 1, splitHash: opened.sha256 },
        ...{ folder: join(folder, name), modelFolder: join(folder, from) },
      });
    const [apart, together] = [await weights("apart", 1), await weights("together", 2)];
    assertEquals(new Set(apart).size, 3);
    assertEquals(together, apart);

    // What is wrong is told before hours of work.
    assertEquals(await check("apart"), { there: 3, all: 3 });
    assertEquals(await check("nowhere"), { there: 0, all: 3 });
    await assertRejects(() => check("nowhere", "apart"), LetheError, "history.json does not exist");
    await Deno.remove(foldFolder(join(folder, "apart"), 0, 1), { recursive: true });
    assertEquals(await check("apart"), { there: 2, all: 3 });
    await Deno.truncate(join(foldFolder(join(folder, "apart"), 0, 2), "model.safetensors"), 100);
    await assertRejects(() => check("apart"), LetheError, "set0_fold2");
    const table = join(folder, "together/folds.json");
    const text = await Deno.readTextFile(table);
    await Deno.writeTextFile(table, text.replace(/"model":"./, '"model":"x'));
    await assertRejects(() => check("together"), LetheError, "model");
    await Deno.remove(table);
    await assertRejects(() => check("together"), LetheError, "folds.json is not");
  }));
