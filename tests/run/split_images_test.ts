import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import * as tf from "@tensorflow/tfjs";
import { openDataset } from "../../lib/data/open_dataset.ts";
import { hashImages } from "../../lib/data/loader/image_store.ts";
import { writePortraits } from "../../lib/data/portraits/write_portraits.ts";
import { makeSplit, samplesOf } from "../../lib/data/split.ts";
import { writeSplit } from "../../lib/data/split_file.ts";
import { presetConfig, PRESETS } from "../../lib/model/config.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { openImages } from "../../lib/run/split_images.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

onEachDevice(
  "openImages gives an image the same whichever part, order and reading of the split ask for it",
  () =>
    inTemporaryFolder(async (folder) => {
      const root = join(folder, "portraits");
      await writePortraits(root, { identities: 12, imagesPerIdentity: 3, side: 16, seed: 0 });
      const dataset = await openDataset("celeba", root);
      const hashes = await hashImages(root, dataset.samples.map(({ file }) => file));
      const path = join(folder, "split.json");
      await writeSplit(path, makeSplit(dataset, { forget: 2, seed: 0, hashes }));
      const data = await openSplit(path, root);
      const { task, labels } = data.dataset;
      const preset = { ...PRESETS.vit_demo_patch8_32, imageSize: 16 };
      const config = presetConfig(preset, task, labels);
      using images = openImages(data);
      const pixels = async (samples: typeof data.dataset.samples, index: number) => {
        const { patches, targets } = await images.source(samples, config).batch([index]);
        const values = await patches.data();
        tf.dispose([patches, targets]);
        return values;
      };
      const forget = samplesOf(data.split, data.dataset, "forget");
      const train = samplesOf(data.split, data.dataset, "train");
      // Read anew: other objects, the same images.
      const again = await openSplit(path, root);
      const place = [...again.dataset.samples].findIndex(({ file }) => file === forget.at(1)!.file);
      const expected = await pixels(forget, 1);
      const inTrain = [...train].findIndex(({ file }) => file === forget.at(1)!.file);
      assertEquals(await pixels(train, inTrain), expected);
      assertEquals(await pixels(again.dataset.samples, place), expected);
      const { identity, targets } = forget.at(0)!;
      const stranger = { file: "elsewhere.png", identity, targets };
      assertThrows(() => images.source([stranger], config), RangeError, "elsewhere.png");
    }),
);
