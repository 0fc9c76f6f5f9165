import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { META_OPTIONS, metaLearnSettings } from "../../cli/options/meta_options.ts";
import { parseOptions } from "../../cli/command/parse.ts";
import { newIdentityKey, writeIdentityKey } from "../../lib/model/kit/identity_key.ts";
import { metaLearnKit } from "../../lib/run/meta_learn_kit.ts";
import { trainModel } from "../../lib/run/train_model.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { bytesOf, smallSplit } from "../run/small_split.ts";

Deno.test("metaLearnKit gives the same kit whether fold models are trained beside its epochs or after them", () =>
  inTemporaryFolder(async (folder) => {
    const { device, split, data, seed, ...options } = await smallSplit(folder);
    const at = (name: string) => join(folder, name);
    const recipe = { ...options.recipe, epochs: 1 };
    await trainModel({ ...options, device, split, data, seed, recipe, out: at("model") });
    await writeIdentityKey(at("key"), newIdentityKey());
    const kit = async (name: string, beside: boolean) => {
      await metaLearnKit({
        ...{ device, split, data, seed },
        model: at("model"),
        identityKey: at("key"),
        out: at(name),
        settings: {
          ...metaLearnSettings(parseOptions(META_OPTIONS, [])),
          ...{ requestSize: 2, epochs: 1, hidden: 8, embeddingSize: 4, start: "random" },
        },
        microBatch: 8,
        statistics: "none",
        memory: {
          ...{ rank: 1, folds: 2, foldSets: 1, rounds: 1, requestSizes: [2], atOnce: 2, beside },
        },
      });
      return bytesOf(at(name));
    };
    assertEquals(await kit("beside", true), await kit("after", false));
  }));
