import { command, main } from "../cli/command/command.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { writeWhole } from "../lib/files/write_whole.ts";
import { readModel } from "../lib/model/checkpoint.ts";
import { encodeOnnx } from "../lib/model/onnx/vit_graph.ts";

/** `deno task export`: a model for other programs to serve. */
export const exportTask = command({
  name: "export",
  summary: "writes a model as ONNX; model.safetensors itself is what timm reads",
  options: {
    model: { kind: "path", required: true, takes: "model", value: "DIR", help: "the model" },
    onnx: {
      kind: "path",
      required: true,
      value: "FILE",
      help: "file to make: opset 17, any batch size, pixels in [0, 1]",
    },
  },
  examples: ["deno task export --model forgotten/model --onnx model.onnx"],
  async run({ model, onnx }, terminal) {
    using _claim = await claimOutput(onnx);
    const read = await readModel(model);
    await writeWhole(onnx, encodeOnnx(read));
    const { imageSize, labels } = read.config;
    terminal.print(
      `${onnx}: pixels [batch, 3, ${imageSize}, ${imageSize}] in [0, 1] to logits [batch, ${labels.length}]`,
    );
  },
});

if (import.meta.main) await main(exportTask);
