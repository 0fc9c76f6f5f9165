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

/** qkv [b, n, 3 d] to [out [b, n, d], log of each row's sum of e^score [b heads, n]]. */
export function flashAttention(args: KernelArguments): TensorInfo[] {
  const sizes = sizesOf(args);
  const { b, n, d, heads, headDim: h } = sizes;
  const rows = args.backend.makeTensorInfo([b * heads, n], "float32");
  const out = runFlash(
    args,
    sizes,
    "forward",
    { QKV: args.inputs.qkv },
    [4],
    { Rows: rows },
    [b, n, d],
    `
  ${tile("Q", h)} ${tile("K", h)} ${block("P")}
  var<workgroup> peaks : array<vec4<f32>, 64>; var<workgroup> sums : array<vec4<f32>, 64>;
  fn main() { ${BEGIN}
    ${load("Q", "QKV", 0, "own", h)}
    var largest = ${LOWEST}; var sum = vec4<f32>(0.0);
    ${accumulators("acc", h)}
    for (var begun = 0; begun < uniforms.n; begun = begun + ${TILE}) {
      ${load("K", "QKV", 1, "begun", h)}
      workgroupBarrier();
      ${zeros("s")}
      ${scores([{ into: "s", own: "Q", theirs: "K" }], h)}
      ${masked}
      ${RUNNING}
      ${load("K", "QKV", 2, "begun", h)}
      workgroupBarrier();
      sum = sum * keep + (${acrossLanes(plus, "sums", "vec4<f32>(0.0)")});
      ${columnsOf(h).map((j) => `acc${j} = acc${j} * keep;`).join(" ")}
      ${weigh([{ acc: "acc", block: "P", tile: "K" }], h)}
      workgroupBarrier();
    }
    ${storeColumns("result", (j) => `acc${j} / sum`, null, h)}
    if (tx == 0) { let logs = largest + log(sum);
      ${
      fours.map((i) =>
        `if (own + 4 * ty + ${i} < n) { Rows[block * n + own + 4 * ty + ${i}] = logs[${i}]; }`
      )
        .join(" ")
    } }
  }`,
  );
  return [out, rows];
}
