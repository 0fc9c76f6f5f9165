import type { TensorInfo } from "@tensorflow/tfjs";
import type { KernelArguments } from "../program.ts";
import { runFlash, sizesOf } from "./flash.ts";
import { LOWEST, masked, plus, RUNNING } from "./flash_scores.ts";
import {
  accumulators,
  acrossLanes,
  BEGIN,
  block,
  columnsOf,
  fours,
  load,
  scores,
  storeColumns,
  TILE,
  tile,
  weigh,
  zeros,
} from "./tiles.ts";

/** qkv and its tangent [b, n, 3 d] to [out, its tangent], [b, n, d] each. */
export function flashAttentionDual(args: KernelArguments): TensorInfo[] {
  const sizes = sizesOf(args);
  const { b, n, d, headDim: h } = sizes;
  const { qkv, dqkv } = args.inputs;
  const tangent = args.backend.makeTensorInfo([b, n, d], "float32");
  const out = runFlash(
    args,
    sizes,
    "dual",
    { QKV: qkv, DQKV: dqkv },
    [4, 4],
    { Tangent: tangent },
    [b, n, d],
    `
  ${tile("Q", h)} ${tile("DQ", h)} ${tile("K", h)} ${tile("DK", h)} ${block("P")} ${block("W")}
  var<workgroup> peaks : array<vec4<f32>, 64>; var<workgroup> sums : array<vec4<f32>, 64>;
  fn main() { ${BEGIN}
    ${load("Q", "QKV", 0, "own", h)}
    ${load("DQ", "DQKV", 0, "own", h)}
    var largest = ${LOWEST}; var sum = vec4<f32>(0.0); var along = vec4<f32>(0.0);
    ${accumulators("acc", h)} ${accumulators("dacc", h)}
    for (var begun = 0; begun < uniforms.n; begun = begun + ${TILE}) {
      ${load("K", "QKV", 1, "begun", h)}
      ${load("DK", "DQKV", 1, "begun", h)}
      workgroupBarrier();
      ${zeros("s")} ${zeros("t")}
      ${
      scores([{ into: "s", own: "Q", theirs: "K" }, { into: "t", own: "DQ", theirs: "K" }, {
        into: "t",
        own: "Q",
        theirs: "DK",
      }], h)
    }
      ${masked}
      ${RUNNING}
      ${
      fours.map((e) =>
        `let w${e} = p${e} * (t${e} * uniforms.scale); W[(4 * tx + ${e}) * 8 + ty] = w${e};`
      ).join(" ")
    }
      ${load("K", "QKV", 2, "begun", h)}
      ${load("DK", "DQKV", 2, "begun", h)}
      workgroupBarrier();
      sum = sum * keep + (${acrossLanes(plus, "sums", "vec4<f32>(0.0)")});
      peaks[tx * 8 + ty] = (w0 + w1) + (w2 + w3);
      ${columnsOf(h).map((j) => `acc${j} = acc${j} * keep; dacc${j} = dacc${j} * keep;`).join(" ")}
      ${
      weigh([{ acc: "acc", block: "P", tile: "K" }, { acc: "dacc", block: "W", tile: "K" }, {
        acc: "dacc",
        block: "P",
        tile: "DK",
      }], h)
    }
      workgroupBarrier();
      along = along * keep + (${acrossLanes(plus, "peaks", "vec4<f32>(0.0)")});
      workgroupBarrier();
    }
    ${storeColumns("result", (j) => `acc${j} / sum`, null, h)}
    ${storeColumns("Tangent", (j) => `dacc${j} / sum - (along / sum) * (acc${j} / sum)`, null, h)}
  }`,
  );
  return [out, tangent];
}
