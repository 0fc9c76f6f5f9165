import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import * as tf from "@tensorflow/tfjs";
import { configText } from "../../lib/model/config.ts";
import { LetheError } from "../../lib/error.ts";
import { checkWeights, readModel, writeModel } from "../../lib/model/checkpoint.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import { initialVit } from "../../lib/model/initial_vit.ts";
import { parseSafetensors, type Weight } from "../../lib/model/safetensors.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { SMALL_CONFIG, smallModel } from "./small_kit.ts";

Deno.test("thetaShapes names what PyTorch's model of the golden numbers has", () => {
  const url = new URL("../../fixtures/golden/model.safetensors", import.meta.url);
  const { weights } = parseSafetensors(Deno.readFileSync(url), "golden");
  const config = {
    ...SMALL_CONFIG,
    imageSize: 32,
    patchSize: 8,
    dim: 48,
    depth: 3,
    heads: 4,
    labels: ["a", "b", "c", "d", "e", "f", "g"],
  };
  checkWeights(weights, thetaShapes(config, config.labels.length), "golden");
  assertThrows(
    () =>
      checkWeights(weights, thetaShapes({ ...config, depth: 2 }, config.labels.length), "golden"),
    LetheError,
    'golden has a tensor "blocks.2.',
  );
});

Deno.test("thetaShapes names what initialVit makes", async () => {
  await tf.ready();
  const theta = initialVit(SMALL_CONFIG, SMALL_CONFIG.labels.length, new Random(0, "test"));
  const made = new Map(Object.entries(theta).map(([name, { shape }]) => [name, shape]));
  disposeWeights(theta);
  assertEquals(
    new Map([...made].sort()),
    new Map([...thetaShapes(SMALL_CONFIG, SMALL_CONFIG.labels.length)].sort()),
  );
});

Deno.test("checkWeights names the tensor that is missing, misshapen, not finite or extra", () => {
  const due = thetaShapes(SMALL_CONFIG, SMALL_CONFIG.labels.length);
  const check = (change: (theta: Map<string, Weight>) => void, message: string) => {
    const theta = new Map(smallModel().theta);
    change(theta);
    assertThrows(() => checkWeights(theta, due, "f"), LetheError, message);
  };
  const norm = (values: Weight["values"], shape = [4]): Weight => ({ dtype: "F32", shape, values });
  checkWeights(smallModel().theta, due, "f");
  check((theta) => theta.delete("head.bias"), "f lacks the tensor head.bias; ");
  check((theta) => theta.set("fc", norm(Float32Array.of(1), [1])), 'f has a tensor "fc"; ');
  check(
    (theta) => theta.set("norm.bias", norm(new Float32Array(4), [2, 2])),
    "tensor norm.bias is F32 of shape [2,2]; the model's settings call for floats of shape [4]: ",
  );
  check(
    (theta) => theta.set("norm.bias", { ...norm(new Int32Array(4)), dtype: "I32" }),
    "tensor norm.bias is I32 of shape [4]; ",
  );
  check(
    (theta) => theta.set("norm.bias", norm(Float32Array.of(1, 2, NaN, 3))),
    "f: tensor norm.bias holds NaN; weights are finite numbers: ",
  );
});

Deno.test("readModel gives back what writeModel wrote, and the files beside it lie there too", async () => {
  await inTemporaryFolder(async (folder) => {
    const model = smallModel();
    const path = join(folder, "model");
    await writeModel(path, model, new Map([["history.json", new TextEncoder().encode("[]")]]));
    const read = await readModel(path);
    assertEquals(read.config, model.config);
    assertEquals(new Map([...read.theta].sort()), new Map([...model.theta].sort()));
    assertEquals(await Deno.readTextFile(join(path, "history.json")), "[]");
    await assertRejects(() => writeModel(path, model), LetheError, "exists");
  });
});

Deno.test("writeModel leaves nothing behind when the weights do not fit", async () => {
  await inTemporaryFolder(async (folder) => {
    const model = { ...smallModel(), config: { ...SMALL_CONFIG, dim: 8 } };
    await assertRejects(() => writeModel(join(folder, "model"), model), LetheError, "cls_token");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("readModel refuses a folder that is not there, is damaged or mixes two models", async () => {
  await inTemporaryFolder(async (folder) => {
    await assertRejects(() => readModel(join(folder, "none")), LetheError, "config.json does not");
    const path = join(folder, "model");
    await writeModel(path, smallModel());
    const config = join(path, "config.json");
    await Deno.writeTextFile(config, configText({ ...SMALL_CONFIG, labels: ["one"] }));
    await assertRejects(
      () => readModel(path),
      LetheError,
      "tensor head.weight is F32 of shape [2,4]; the model's settings call for floats of shape [1,4]",
    );
    await Deno.writeTextFile(config, configText(SMALL_CONFIG).replace("{", "{ "));
    await assertRejects(() => readModel(path), LetheError, "one text, so that nothing hides in it");
    await Deno.writeTextFile(config, configText(SMALL_CONFIG));
    await readModel(path); // the control
    await Deno.truncate(join(path, "model.safetensors"), 700);
    await assertRejects(() => readModel(path), LetheError, "model.safetensors announces a header");
  });
});

Deno.test("readModel and readManifest tell whoever named unlearn's output where model and kit lie in it", async () => {
  const output = fromFileUrl(new URL("../../fixtures/4832d1b/unlearned", import.meta.url));
  await assertRejects(() => readModel(output), LetheError, `did you mean ${output}/model?`);
  await assertRejects(() => readManifest(output), LetheError, `did you mean ${output}/kit?`);
  await assertRejects(
    () => readManifest(join(output, "model")),
    LetheError,
    "this is a model: name",
  );
});
