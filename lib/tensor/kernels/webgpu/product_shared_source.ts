import { read } from "./half_source.ts";
import { type ProductKernel, tileOf } from "./product_kernels.ts";
import { functions, places, range, stores, sums, type Variant } from "./product_source.ts";

/** Inner indices that lie in workgroup memory at a time. */
const DEPTH = 16;

/**
 * Lines that bring one operand's part of the large tile, [DEPTH, size], into workgroup memory: zero
 * beyond k. Consecutive lanes read what lies side by side.
 */
function fetch(name: "A" | "B", size: number, kernel: ProductKernel, variant: Variant): string[] {
  const side = name === "A" ? 0 : 1;
  const v = name.toLowerCase();
  const width = variant.width[side];
  const along = variant.alongInner[side];
  // Where in the tile: a place i along its side, an inner index q; the first axis varies fastest.
  const fast = (along ? DEPTH : size) / width;
  const [i, q] = along
    ? [`u / ${fast}`, `(u % ${fast}) * ${width}`]
    : [`(u % ${fast}) * ${width}`, `u / ${fast}`];
  const first = name === "A" ? "tileRow" : "tileColumn";
  const outer = `min(${first} + i, uniforms.${v}Last)`;
  // In fours k is whole fours, so that four from within begin within.
  const inner = along && width === 4 ? "min(p + q, k - 4)" : "min(p + q, kLast)";
  const index = along
    ? `${v}Base + ${outer} * uniforms.${v}Row + ${inner}`
    : `${v}Base + ${inner} * uniforms.${v}Row + ${outer}`;
  const value = read(name, index, width, variant.half[side]);
  const zero = width === 4 ? "vec4<f32>(0.0)" : "0.0";
  const place = (c: number) => along ? `(q + ${c}) * ${size} + i` : `q * ${size} + i + ${c}`;
  return [
    `for (var u = lane; u < ${DEPTH * size / width}; u = u + ${kernel.lanes}) {`,
    `let i = ${i}; let q = ${q};`,
    `let x = select(${zero}, ${value}, p + q < k);`,
    ...range(width).map((c) => `tile${name}[${place(c)}] = ${width === 4 ? `x[${c}]` : "x"};`),
    "}",
  ];
}

/**
 * WGSL of a product whose workgroup reads a large tile's operands once, into its own memory. Sums run
 * in the same order as in registers alone.
 */
export function sharedSource(kernel: ProductKernel, variant: Variant): string {
  const { rows, columns, across } = kernel;
  const [tileRows, tileColumns] = tileOf(kernel);
  const product = (i: number, j: number) => `s${i}_${j} = fma(x${i}, y${j}, s${i}_${j});`;
  return [
    functions(variant),
    `var<workgroup> tileA : array<f32, ${DEPTH * tileRows}>;`,
    `var<workgroup> tileB : array<f32, ${DEPTH * tileColumns}>;`,
    "fn main() {",
    "let lane = i32(localId.x);",
    "let group = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);",
    // All lanes come to every barrier: groups too many repeat the last tile and store nothing.
    ...places("min(group, uniforms.tiles - 1)", [tileRows, tileColumns]),
    `let a0 = tileRow + (lane / ${across}) * ${rows};`,
    `let b0 = tileColumn + (lane % ${across}) * ${columns};`,
    ...sums(kernel),
    `for (var p = 0; p < uniforms.part; p = p + ${DEPTH}) {`,
    ...fetch("A", tileRows, kernel, variant),
    ...fetch("B", tileColumns, kernel, variant),
    "workgroupBarrier();",
    `for (var q = 0; q < ${DEPTH}; q = q + 1) {`,
    ...range(rows).map((i) => `let x${i} = tileA[q * ${tileRows} + a0 - tileRow + ${i}];`),
    ...range(columns).map((j) => `let y${j} = tileB[q * ${tileColumns} + b0 - tileColumn + ${j}];`),
    ...range(rows).flatMap((i) => range(columns).map((j) => product(i, j))),
    "}",
    "workgroupBarrier();",
    "}",
    "if (group >= uniforms.tiles) { return; }",
    ...stores(kernel, variant),
    "}",
  ].join("\n");
}
