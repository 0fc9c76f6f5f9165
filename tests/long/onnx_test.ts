import { assert, assertEquals, assertLess } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import * as ort from "npm:onnxruntime-web@1.22.0/wasm";
import { decodeToForm } from "../../lib/data/images/stored_form.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { storedForm } from "../../lib/model/input_format.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { json } from "../e2e/kit_folder.ts";
import { DEVICE, done, runTask } from "../e2e/run_task.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));
const MODEL = join(FIXTURES, "kit");
const REQUESTS = join(FIXTURES, "requests");

/** A session of onnxruntime-web, which finds its own WASM beside its module. */
async function sessionOf(path: string): Promise<ort.InferenceSession> {
  const folder = dirname(fromFileUrl(import.meta.resolve("npm:onnxruntime-web@1.22.0/wasm")));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary =
    (await Deno.readFile(join(folder, "ort-wasm-simd-threaded.wasm"))).buffer;
  return await ort.InferenceSession.create(await Deno.readFile(path));
}

Deno.test({
  name: "export --onnx writes what onnxruntime computes as Lethe does, at any batch size",
  // The runtime keeps its WASM heap.
  sanitizeResources: false,
  sanitizeOps: false,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, "model.onnx");
      await done("export", ["--model", MODEL, "--onnx", file], folder);
      const again = await runTask("export", ["--model", MODEL, "--onnx", file], folder);
      assertEquals(again.code, 1, "it is not written over");
      const images = ["--images", REQUESTS, "--json", "said.json"];
      await done("predict", ["--model", MODEL, ...images, ...DEVICE], folder);
      const said = await json(folder, "said.json");

      const session = await sessionOf(file);
      const { config } = await readModel(MODEL);
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
        const shape = [count, 3, side, side];
        const input = new ort.Tensor("float32", pixels.subarray(0, count * 3 * side ** 2), shape);
        const output = await session.run({ pixels: input });
        for (const name of ["logits", "features"] as const) {
          const expected = said.images.slice(0, count)
            .flatMap((image: Record<string, number[]>) => image[name]);
          const found = output[name].data as Float32Array;
          assertEquals(found.length, expected.length);
          assert(found.some((value) => Math.abs(value) > 0.1), "it is no blank");
          found.forEach((value, k) => assertLess(Math.abs(value - expected[k]), 1e-4, name));
        }
      }
      await session.release();
    }),
});
