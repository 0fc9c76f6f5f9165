import { LetheError } from "../../error.ts";
import { byteSize } from "../../files/text/byte_size.ts";
import type { Model } from "../checkpoint.ts";
import type { Weight } from "../safetensors.ts";
import { OnnxGraph } from "./onnx_file.ts";

/** A protobuf message holds less than this. */
const MAX_BYTES = 2 ** 31;

/**
 * A model as an ONNX file (opset 17), for other programs to serve: the same ViT as `vit` computes.
 *
 * Input `pixels` [batch, 3, side, side], float32 in [0, 1], RGB, resized to the model's side; the graph
 * normalises them itself. Outputs `logits` [batch, labels] and `features` [batch, dim]. The metadata
 * names task and labels.
 *
 * @throws {LetheError} the weights do not fit into one file of this format
 */
export function encodeOnnx({ config, theta }: Model): Uint8Array<ArrayBuffer> {
  const { imageSize, patchSize, dim, depth, heads, layerNormEps, mean, std, labels } = config;
  const bytes = [...theta.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  if (bytes >= MAX_BYTES) {
    throw new LetheError(
      `the model's weights take ${byteSize(bytes)}`,
      "an ONNX file without others beside it holds less than 2 GiB",
      "serve model.safetensors, which timm reads",
    );
  }
  const graph = new OnnxGraph();
  const weight = (name: string) => {
    const { values, shape } = theta.get(name)!;
    return graph.weight(name, Float32Array.from(values), [...shape]);
  };
  const constant = (name: string, values: readonly number[], shape: number[]) =>
    graph.weight(name, Float32Array.from(values), shape);
  const number = (name: string, value: number) => constant(name, [value], []);
  const add = (name: string, a: string, b: string) => graph.node("Add", name, [a, b]);
  const linear = (name: string, x: string) => {
    const { values, shape } = transposed(theta.get(`${name}.weight`)!);
    const kernel = graph.weight(`${name}.weight`, values, shape);
    const product = graph.node("MatMul", `${name}.product`, [x, kernel]);
    return add(`${name}.out`, product, weight(`${name}.bias`));
  };
  const norm = (name: string, x: string) =>
    graph.node("LayerNormalization", `${name}.out`, [
      x,
      weight(`${name}.weight`),
      weight(`${name}.bias`),
    ], { axis: -1, epsilon: { float: layerNormEps } });
  const split = graph.integers("split heads", [0, 0, 3, heads, dim / heads]);
  const merge = graph.integers("merge heads", [0, 0, dim]);
  const parts = ["query", "key", "value"].map((part, i) => graph.integers(part, [i], []));
  const scale = number("attention scale", 1 / Math.sqrt(dim / heads));
  const [half, one, root] = [number("half", 0.5), number("one", 1), number("root", Math.SQRT2)];

  const attention = (name: string, x: string) => {
    const at = (part: string) => `${name}.${part}`;
    const joint = graph.node("Reshape", at("split"), [linear(at("qkv"), x), split]);
    const turned = graph.node("Transpose", at("heads"), [joint], { perm: [2, 0, 3, 1, 4] });
    const [query, key, value] = parts.map((part, i) =>
      graph.node("Gather", at(["query", "key", "value"][i]), [turned, part], { axis: 0 })
    );
    const keys = graph.node("Transpose", at("keys"), [key], { perm: [0, 1, 3, 2] });
    const scaled = graph.node("Mul", at("scaled"), [query, scale]);
    const scores = graph.node("MatMul", at("scores"), [scaled, keys]);
    const shares = graph.node("Softmax", at("shares"), [scores], { axis: -1 });
    const mixed = graph.node("MatMul", at("mixed"), [shares, value]);
    const back = graph.node("Transpose", at("back"), [mixed], { perm: [0, 2, 1, 3] });
    return linear(at("proj"), graph.node("Reshape", at("merged"), [back, merge]));
  };
  // GELU as it is, by the error function: opset 17 has no operator of that name.
  const gelu = (name: string, x: string) => {
    const inner = graph.node("Div", `${name}.inner`, [x, root]);
    const erf = graph.node("Erf", `${name}.erf`, [inner]);
    const halved = graph.node("Mul", `${name}.halved`, [x, half]);
    return graph.node("Mul", `${name}.out`, [halved, add(`${name}.upper`, erf, one)]);
  };

  const pixels = graph.input("pixels", ["batch", 3, imageSize, imageSize]);
  const centred = graph.node("Sub", "centred", [pixels, constant("mean", mean, [1, 3, 1, 1])]);
  const x = graph.node("Div", "normalised", [centred, constant("std", std, [1, 3, 1, 1])]);
  const patches = graph.node("Conv", "patches", [
    x,
    weight("patch_embed.proj.weight"),
    weight("patch_embed.proj.bias"),
  ], { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] });
  const flat = graph.node("Reshape", "flat", [patches, graph.integers("flat shape", [0, dim, -1])]);
  const rows = graph.node("Transpose", "rows", [flat], { perm: [0, 2, 1] });
  const batch = graph.node("Shape", "batch size", [pixels], { start: 0, end: 1 });
  const whole = graph.node("Concat", "class shape", [batch, graph.integers("class", [1, dim])], {
    axis: 0,
  });
  const classTokens = graph.node("Expand", "class tokens", [weight("cls_token"), whole]);
  const tokens = graph.node("Concat", "tokens", [classTokens, rows], { axis: 1 });
  let state = add("placed", tokens, weight("pos_embed"));
  for (let i = 0; i < depth; i++) {
    const at = (part: string) => `blocks.${i}.${part}`;
    state = add(at("middle"), state, attention(at("attn"), norm(at("norm1"), state)));
    const wide = gelu(at("gelu"), linear(at("mlp.fc1"), norm(at("norm2"), state)));
    state = add(at("end"), state, linear(at("mlp.fc2"), wide));
  }
  const first = graph.node("Gather", "class token", [state, graph.integers("first", [0], [])], {
    axis: 1,
  });
  const features = graph.node("Identity", "features", [norm("norm", first)]);
  graph.node("Identity", "logits", [linear("head", features)]);
  graph.output("logits", ["batch", labels.length]);
  graph.output("features", ["batch", dim]);
  return graph.encode("vit", {
    task: config.task,
    labels: JSON.stringify(labels),
    pixels: `RGB in [0, 1], ${imageSize} x ${imageSize}; normalised in the graph`,
  });
}

/** [out, in] as [in, out]. */
function transposed({ values, shape: [out, within] }: Weight) {
  const turned = new Float32Array(values.length);
  for (let i = 0; i < out; i++) {
    for (let j = 0; j < within; j++) turned[j * out + i] = values[i * within + j];
  }
  return { values: turned, shape: [within, out] };
}
