// `train`, whose WebGPU device goes when the file named last is there: as a driver's reset takes it.
import * as tf from "@tensorflow/tfjs";
import { main } from "../../cli/command/command.ts";
import { train } from "../../tasks/train.ts";

const state = Deno.args.at(-1)!;
const timer = setInterval(async () => {
  if (!await Deno.lstat(state).then(() => true, () => false)) return;
  clearInterval(timer);
  (tf.backend() as unknown as { device: GPUDevice }).device.destroy();
}, 5);
const options = { ...train.options, state: { kind: "path", help: "when to lose it" } } as const;
await main<typeof options>({ ...train, options });
