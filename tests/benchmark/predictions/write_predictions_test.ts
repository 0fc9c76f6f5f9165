import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import * as tf from "@tensorflow/tfjs";
import { range } from "../../../lib/data/loader/image_source.ts";
import { samplesOf } from "../../../lib/data/split.ts";
import { openPredictions } from "../../../lib/benchmark/predictions/read_predictions.ts";
import { writePredictions } from "../../../lib/benchmark/predictions/write_predictions.ts";
import { LetheError } from "../../../lib/error.ts";
import { presetConfig, PRESETS } from "../../../lib/model/config.ts";
import { encodeSafetensors } from "../../../lib/model/encode_safetensors.ts";
import { initialVit } from "../../../lib/model/initial_vit.ts";
import { predict } from "../../../lib/model/predict.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";
import { Random } from "../../../lib/random.ts";
import { openSplit } from "../../../lib/run/split_data.ts";
import { openImages } from "../../../lib/run/split_images.ts";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { smallSplit } from "../../run/small_split.ts";

const PARTS = ["retain", "test", "support"] as const;

Deno.test("writePredictions leaves, row by row, the file that encodes all rows at once", () =>
  inTemporaryFolder(async (folder) => {
    const { split, data: root } = await smallSplit(folder);
    const data = await openSplit(split, root);
    const { task, labels } = data.dataset;
    const config = presetConfig({ ...PRESETS.vit_demo_patch8_32, imageSize: 16 }, task, labels);
    using images = openImages(data);
    const theta = initialVit(config, labels.length, new Random(0, "theta"));
    const tensors = tf.memory().numTensors;
    const due = new Map<string, Weight>();
    for (const part of PARTS) {
      const samples = samplesOf(data.split, data.dataset, part);
      const source = images.source(samples, config);
      const said = await predict(theta, config, source, range(samples.length), 64);
      for (const model of ["a", "b"]) {
        for (const [name, values] of Object.entries(said)) {
          const shape = [values.length];
          due.set(`${model}.${part}.${name}`, { dtype: "F32", shape, values });
        }
      }
    }
    const out = join(folder, "predictions");
    await writePredictions(
      out,
      config,
      data,
      images,
      { models: ["a", "b"], parts: PARTS, wanted: "both", seconds: 1.5 },
      async (predictModel) => {
        // In whatever order: each row has its place.
        for (const model of ["b", "a"]) await predictModel(model, theta);
      },
    );
    assertEquals(tf.memory().numTensors, tensors);
    disposeWeights(theta);
    const path = join(out, "predictions.safetensors");
    const bytes = await Deno.readFile(path);
    assertEquals(bytes, encodeSafetensors(due, { seconds: "1.500" }));

    using read = await openPredictions(out);
    assertEquals(read.seconds, 1.5);
    const { values } = due.get("b.test.features")!;
    const rows = read.rows("b")("test", "features");
    assertEquals(rows.length, values.length);
    const some = new Float32Array(65);
    rows.read(5, some);
    assertEquals(some, values.slice(5, 70) as Float32Array);
    assertThrows(() => read.rows("b")("val", "logits"), LetheError, "lacks b.val.logits");
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 4));
    await assertRejects(() => openPredictions(out), LetheError, "the file has");
    await Deno.remove(path);
    await assertRejects(() => openPredictions(out), LetheError, "does not exist");
  }));

Deno.test("writePredictions leaves nothing where predicting ends", () =>
  inTemporaryFolder(async (folder) => {
    const { split, data: root } = await smallSplit(folder);
    const data = await openSplit(split, root);
    const { task, labels } = data.dataset;
    const config = presetConfig(PRESETS.vit_demo_patch8_32, task, labels);
    using images = openImages(data);
    const before = [...Deno.readDirSync(folder)].length;
    const plan = { models: ["a"], parts: PARTS, wanted: "logits" } as const;
    await assertRejects(
      () =>
        writePredictions(join(folder, "out"), config, data, images, plan, () => {
          throw new RangeError("the device is gone");
        }),
      RangeError,
      "the device is gone",
    );
    assertEquals([...Deno.readDirSync(folder)].length, before);
  }));
