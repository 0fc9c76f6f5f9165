import { assert, assertEquals, assertLess } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { decodeToForm } from "../../lib/data/images/stored_form.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { storedForm } from "../../lib/model/input_format.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { json } from "../e2e/kit_folder.ts";
import { sampleModel } from "../e2e/sample_model.ts";
import { DEVICE, done, runTask } from "../e2e/run_task.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));
const REQUESTS = join(FIXTURES, "requests");

/**
 * Runs a model in onnxruntime-web, in a program of its own: its packages are no part of Lethe's lock file,
 * which worker and launcher are held against.
 */
const RUNTIME = `
import * as ort from "npm:onnxruntime-web@1.22.0/wasm";
const entry = import.meta.resolve("npm:onnxruntime-web@1.22.0/wasm");
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary =
  (await Deno.readFile(new URL("ort-wasm-simd-threaded.wasm", entry))).buffer;
const [model, pixels, ...shape] = Deno.args;
const values = new Float32Array((await Deno.readFile(pixels)).buffer);
const session = await ort.InferenceSession.create(await Deno.readFile(model));
const input = new ort.Tensor("float32", values, shape.map(Number));
const { logits, features } = await session.run({ pixels: input });
console.log(JSON.stringify({ logits: [...logits.data], features: [...features.data] }));
Deno.exit(0);
`;

async function onnxRuntime(
  folder: string,
  pixels: Float32Array<ArrayBuffer>,
  shape: readonly number[],
): Promise<Record<"logits" | "features", number[]>> {
  await Deno.writeTextFile(join(folder, "runtime.mjs"), RUNTIME);
  await Deno.writeFile(join(folder, "pixels"), new Uint8Array(pixels.buffer));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-lock", "--no-config", "runtime.mjs", "model.onnx", "pixels"],
      ...shape.map(String),
    ],
    cwd: folder,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  return JSON.parse(text(stdout).trimEnd().split("\n").at(-1)!);
}

Deno.test("export --onnx writes what onnxruntime computes as Lethe does, at any batch size", () =>
  inTemporaryFolder(async (folder) => {
    const model = await sampleModel(folder);
    const file = join(folder, "model.onnx");
    await done("export", ["--model", model, "--onnx", file], folder);
    const again = await runTask("export", ["--model", model, "--onnx", file], folder);
    assertEquals(again.code, 1, "it is not written over");
    const images = ["--images", REQUESTS, "--json", "said.json"];
    await done("predict", ["--model", model, ...images, ...DEVICE], folder);
    const said = await json(folder, "said.json");

    const { config } = await readModel(model);
    const side = config.imageSize;
    const pixels = new Float32Array(said.images.length * 3 * side ** 2);
    for (const [i, { file }] of said.images.entries()) {
      const rgb = decodeToForm(
        await Deno.readFile(join(REQUESTS, file)),
        file,
        storedForm(config),
      );
      for (let at = 0; at < side ** 2; at++) {
        for (let c = 0; c < 3; c++) pixels[(3 * i + c) * side ** 2 + at] = rgb[3 * at + c] / 255;
      }
    }
    for (const count of [1, said.images.length]) {
      const part = pixels.slice(0, count * 3 * side ** 2);
      const output = await onnxRuntime(folder, part, [count, 3, side, side]);
      for (const name of ["logits", "features"] as const) {
        const expected = said.images.slice(0, count)
          .flatMap((image: Record<string, number[]>) => image[name]);
        const found = output[name];
        assertEquals(found.length, expected.length);
        assert(found.some((value) => Math.abs(value) > 0.1), "it is no blank");
        found.forEach((value, k) => assertLess(Math.abs(value - expected[k]), 1e-4, name));
      }
    }
  }));
