import type { TensorInfo } from "@tensorflow/tfjs";
import type { KernelArguments } from "../program.ts";
import { runFlash, sizesOf } from "./flash.ts";
import { masked, plus } from "./flash_scores.ts";
import {
  accumulators,
  acrossLanes,
  BEGIN,
  block,
  fours,
  load,
  scores,
  storeColumns,
  TILE,
  tile,
  weigh,
  zeros,
} from "./tiles.ts";

/**
 * dy [b, n, d], qkv, out and rows as `flashAttention` gave them, to dqkv [b, n, 3 d]: probabilities
 * are made again from the rows' logs, first for the rows of q, then for those of k and v.
 */
export function flashAttentionGrad(args: KernelArguments): TensorInfo {
  const sizes = sizesOf(args);
  const { b, n, d, heads, headDim: h } = sizes;
  const { dy, qkv, out, rest } = args.inputs;
  const along = args.backend.makeTensorInfo([b * heads, n], "float32");
  const result = args.backend.makeTensorInfo([b, n, 3 * d], "float32");
  const shape = result.shape;
  runFlash(
    args,
    sizes,
    "dq",
    { QKV: qkv, DY: dy, Value: out, Rows: rest },
    [4, 4, 1, 1],
    { Along: along },
    shape,
    `
  ${tile("Q", h)} ${tile("G", h)} ${tile("K", h)} ${tile("V", h)} ${block("S")}
  var<workgroup> sums : array<vec4<f32>, 64>;
  fn main() { ${BEGIN}
    ${load("Q", "QKV", 0, "own", h)}
    ${load("G", "DY", null, "own", h)}
    workgroupBarrier();
    let row = vec4<i32>(own + 4 * ty) + vec4<i32>(0, 1, 2, 3);
    let at = min(row, vec4<i32>(n - 1));
    var part = vec4<f32>(0.0);
    for (var c = tx; c < ${h}; c = c + 8) {
      let o = (vec4<i32>(image * n) + at) * uniforms.d + head * ${h} + c;
      part = fma(G[c * 8 + ty], vec4<f32>(Value[o.x], Value[o.y], Value[o.z], Value[o.w]), part);
    }
    sums[tx * 8 + ty] = part;
    workgroupBarrier();
    let along = ${acrossLanes(plus, "sums", "vec4<f32>(0.0)")};
    let r = vec4<i32>(block * n) + at;
    let logs = vec4<f32>(Rows[r.x], Rows[r.y], Rows[r.z], Rows[r.w]);
    if (tx == 0) {
      ${fours.map((i) => `if (row[${i}] < n) { Along[r[${i}]] = along[${i}]; }`).join(" ")}
    }
    ${accumulators("acc", h)}
    for (var begun = 0; begun < uniforms.n; begun = begun + ${TILE}) {
      ${load("K", "QKV", 1, "begun", h)}
      ${load("V", "QKV", 2, "begun", h)}
      workgroupBarrier();
      ${zeros("s")} ${zeros("g")}
      ${scores([{ into: "s", own: "Q", theirs: "K" }, { into: "g", own: "G", theirs: "V" }], h)}
      ${masked}
      ${
      fours.map((e) => `S[(4 * tx + ${e}) * 8 + ty] = exp(s${e} - logs) * (g${e} - along);`).join(
        " ",
      )
    }
      workgroupBarrier();
      ${weigh([{ acc: "acc", block: "S", tile: "K" }], h)}
      workgroupBarrier();
    }
    ${storeColumns("result", (j) => `acc${j} * uniforms.scale`, 0, h)}
  }`,
    result,
  );
  // Here rows are those of k and v, and the other side's are those of q: their logs are numbers.
  const theirs = fours.map((e) => `
      let r${e} = block * n + min(begun + 4 * tx + ${e}, n - 1);
      let p${e} = select(vec4<f32>(0.0), exp(s${e} * uniforms.scale - Rows[r${e}]), begun + 4 * tx + ${e} < n);
      P[(4 * tx + ${e}) * 8 + ty] = p${e};
      S[(4 * tx + ${e}) * 8 + ty] = p${e} * (g${e} - Along[r${e}]);`).join("");
  runFlash(
    args,
    sizes,
    "dkv",
    { QKV: qkv, DY: dy, Rows: rest, Along: along },
    [4, 4, 1, 1],
    {},
    shape,
    `
  ${tile("Q", h)} ${tile("G", h)} ${tile("K", h)} ${tile("V", h)} ${block("P")} ${block("S")}
  fn main() { ${BEGIN}
    ${load("K", "QKV", 1, "own", h)}
    ${load("V", "QKV", 2, "own", h)}
    ${accumulators("dk", h)} ${accumulators("dv", h)}
    for (var begun = 0; begun < uniforms.n; begun = begun + ${TILE}) {
      ${load("Q", "QKV", 0, "begun", h)}
      ${load("G", "DY", null, "begun", h)}
      workgroupBarrier();
      ${zeros("s")} ${zeros("g")}
      ${scores([{ into: "s", own: "K", theirs: "Q" }, { into: "g", own: "V", theirs: "G" }], h)}
      ${theirs}
      workgroupBarrier();
      ${weigh([{ acc: "dk", block: "S", tile: "Q" }, { acc: "dv", block: "P", tile: "G" }], h)}
      workgroupBarrier();
    }
    ${storeColumns("result", (j) => `dk${j} * uniforms.scale`, 1, h)}
    ${storeColumns("result", (j) => `dv${j}`, 2, h)}
  }`,
    result,
  );
  args.backend.disposeData(along.dataId);
  return result;
}
