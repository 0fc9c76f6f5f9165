import { command, main } from "../cli/command/command.ts";
import { MEMORY_OPTIONS, memoryChoice } from "../cli/options/memory_options.ts";
import { printResult } from "../cli/output/print_result.ts";
import { DEVICE, JSON_RESULT, openAndAnnounce, PRECISION } from "../cli/options/shared_options.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";

/** `deno task predict`: logits and features per image. */
export const predict = command({
  name: "predict",
  summary: "logits and features of every image in a folder",
  options: {
    model: { kind: "path", required: true, takes: "model", value: "DIR", help: "the model" },
    images: {
      kind: "path",
      required: true,
      takes: "images",
      value: "DIR",
      help: "folder of .jpg and .png images",
    },
    json: { ...JSON_RESULT, required: true, help: "write them to FILE, or print them" },
    ...MEMORY_OPTIONS,
    device: DEVICE,
    precision: PRECISION,
  },
  examples: ["deno task predict --model model --images requests --json predictions.json"],
  async run({ model, images, json, device, precision, ...memory }, terminal) {
    using _told = whileMaking(null);
    const { predictImages } = await import("../lib/run/predict_images.ts");
    await openAndAnnounce(device, terminal, precision);
    const predictions = await predictImages(model, images, memoryChoice(memory));
    const lines = [`${json}: ${predictions.images.length} images`];
    await printResult(terminal, json, predictions, lines);
  },
});

if (import.meta.main) await main(predict);
