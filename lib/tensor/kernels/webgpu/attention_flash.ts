import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { onCard } from "./card.ts";
import { cover, type KernelArguments, runProgram } from "./program.ts";
import {
  accumulators,
  acrossLanes,
  BEGIN,
  block,
  BLOCK_BYTES,
  columnsOf,
  fours,
  LANES,
  load,
  scores,
  storeColumns,
  TILE,
  tile,
  tileBytes,
  weigh,
  zeros,
} from "./attention_tiles.ts";

/** Attention for cards: no [n, n] in memory, all sums in an order that the sizes alone decide. */

interface Sizes {
  readonly b: number;
  readonly n: number;
  readonly d: number;
  readonly heads: number;
  readonly headDim: number;
}

function sizesOf({ inputs, attrs }: KernelArguments): Sizes {
  const [b, n, width] = inputs.qkv.shape;
  const [d, heads] = [width / 3, attrs.heads as number];
  return { b, n, d, heads, headDim: d / heads };
}

/** Workgroup memory of the hungriest of the kernels here. */
function bytesOf(headDim: number): number {
  return 4 * tileBytes(headDim) + 2 * BLOCK_BYTES + 2048;
}

/**
 * Sizes of a head that these kernels are for. At 64 the tiles leave a card too few workgroups at a time:
 * there products of blocks take half the time forward and a sixth backward (H200, ViT-B/16).
 */
export function isFlashHead(headDim: number): boolean {
  return headDim % 4 === 0 && headDim <= 32;
}

/** Whether these kernels suit the adapter and can take this tensor: float32, small heads, room. */
export function suitsFlash(args: KernelArguments): boolean {
  if (!onCard() || args.attrs.half) return false;
  const { headDim } = sizesOf(args);
  const { maxComputeWorkgroupStorageSize } = (args.backend as WebGPUBackend).device.limits;
  return isFlashHead(headDim) && bytesOf(headDim) <= maxComputeWorkgroupStorageSize;
}

function run(
  { backend }: KernelArguments,
  { b, n, d, heads, headDim }: Sizes,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  widths: readonly (1 | 4)[],
  written: Readonly<Record<string, TensorInfo>>,
  outputShape: readonly number[],
  code: string,
  output?: TensorInfo,
): TensorInfo {
  const tiles = Math.ceil(n / TILE);
  const groups = b * heads * tiles;
  return runProgram(
    backend,
    {
      key: `flash ${key} ${headDim}`,
      inputs: Object.keys(inputs),
      widths: [...widths, 1],
      writes: Object.keys(written).map((name) => ({ name, width: 1 })),
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(groups, 1),
      outputShape,
      uniforms: [
        ...Object.entries({ n, d, heads, tiles, groups })
          .map(([name, value]) => ({ name, type: "i32" as const, value })),
        { name: "scale", type: "f32", value: 1 / Math.sqrt(headDim) },
      ],
      code,
    },
    Object.values(inputs),
    output,
    Object.values(written),
  );
}

const max = (a: string, b: string) => `max(${a}, ${b})`;
const plus = (a: string, b: string) => `${a} + ${b}`;
const LOWEST = "vec4<f32>(-3.0e38)";

/** Scores of this tile's rows, scaled; those beyond n give nothing. */
const masked = fours.map((e) =>
  `s${e} = select(${LOWEST}, s${e} * uniforms.scale, begun + 4 * tx + ${e} < n);`
).join(" ");

/**
 * The running maximum of each row, the factor that corrects earlier sums for it, and e^(score -
 * maximum).
 */
const RUNNING = `
    peaks[tx * 8 + ty] = max(max(s0, s1), max(s2, s3));
    workgroupBarrier();
    let next = ${acrossLanes(max, "peaks", "largest")};
    ${
  fours.map((e) => `let p${e} = exp(s${e} - next); P[(4 * tx + ${e}) * 8 + ty] = p${e};`).join(" ")
}
    sums[tx * 8 + ty] = (p0 + p1) + (p2 + p3);
    let keep = exp(largest - next); largest = next;`;

/** qkv [b, n, 3 d] to [out [b, n, d], log of each row's sum of e^score [b heads, n]]. */
export function flashAttention(args: KernelArguments): TensorInfo[] {
  const sizes = sizesOf(args);
  const { b, n, d, heads, headDim: h } = sizes;
  const rows = args.backend.makeTensorInfo([b * heads, n], "float32");
  const out = run(
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

/**
 * dy [b, n, d], qkv, out and rows as {@link flashAttention} gave them, to dqkv [b, n, 3 d]: probabilities
 * are made again from the rows' logs, first for the rows of q, then for those of k and v.
 */
export function flashAttentionGrad(args: KernelArguments): TensorInfo {
  const sizes = sizesOf(args);
  const { b, n, d, heads, headDim: h } = sizes;
  const { dy, qkv, out, rest } = args.inputs;
  const along = args.backend.makeTensorInfo([b * heads, n], "float32");
  const result = args.backend.makeTensorInfo([b, n, 3 * d], "float32");
  const shape = result.shape;
  run(
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
  run(
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

/** qkv and its tangent [b, n, 3 d] to [out, its tangent], [b, n, d] each. */
export function flashAttentionDual(args: KernelArguments): TensorInfo[] {
  const sizes = sizesOf(args);
  const { b, n, d, headDim: h } = sizes;
  const { qkv, dqkv } = args.inputs;
  const tangent = args.backend.makeTensorInfo([b, n, d], "float32");
  const out = run(
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
