/**
 * How long choosing kernels takes on an adapter that knows nothing of ViT-B/16 yet: the products of its
 * shapes run once, then what a run would measure after its first step is measured.
 *
 *     deno run --no-prompt --location https://measure.invalid .github/card/measure_kernels.ts [preset] [images]
 *
 * Prints seconds and how many products were measured, as JSON.
 */
import { kernelCases } from "../../lib/bench/kernel_cases.ts";
import { PRESETS } from "../../lib/model/config.ts";
import { chooseKernels } from "../../lib/tensor/kernels/autotune/choose_kernels.ts";
import { openDevice } from "../../lib/tensor/device.ts";

if (import.meta.main) {
  const [preset = "vit_base_patch16_224", images = "32"] = Deno.args;
  const device = await openDevice("webgpu");
  // Of the location that the command line names: what the checkout knows of its adapters stays.
  if (globalThis.location) localStorage.clear();
  let measured = 0;
  const choosing = chooseKernels(device, undefined, () => measured++);
  const settings = {
    shape: PRESETS[preset as keyof typeof PRESETS],
    ...{ batch: Number(images), support: 20, labels: 40, hidden: 512 },
  };
  for (const each of kernelCases(settings)) {
    const prepared = each.prepare();
    await prepared.ours(1);
    prepared.dispose();
  }
  const begun = performance.now();
  await choosing.settle();
  const seconds = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ adapter: device.adapter, seconds, measured }));
}
