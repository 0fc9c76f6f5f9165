import { read } from "./half_source.ts";
import { type ProductKernel, tileOf } from "./product_kernels.ts";
import { functions, places, range, type Variant } from "./product_source.ts";
import { store, zero } from "./product_ending.ts";

/** The four registers of a block on their way into workgroup memory. */
const rows4 = range(4);

/** One operand's part of the large tile. */
interface Side {
  readonly name: "A" | "B";
  /** Rows of a, or columns of b, in the tile. */
  readonly size: number;
  /** 4x4 blocks in the tile. */
  readonly blocks: number;
  readonly width: 1 | 4;
  readonly along: boolean;
  readonly half: boolean;
}

function sideOf(name: "A" | "B", size: number, depth: number, variant: Variant): Side {
  const i = name === "A" ? 0 : 1;
  const [width, along, half] = [variant.width[i], variant.alongInner[i], variant.half[i]];
  return { name, size, blocks: size * depth / 16, width, along, half };
}

/** WGSL for where block g of a side begins: row or column `r` and inner index `q`. */
function place({ along, size }: Side, depth: number): string {
  return along
    ? `let r = (g / ${depth / 4}) * 4; let q = (g % ${depth / 4}) * 4;`
    : `let r = (g % ${size / 4}) * 4; let q = (g / ${size / 4}) * 4;`;
}

/** Lines that read a block into v0 .. v3 of fetch u, zero beyond k; lanes side by side read so. */
function fetchBlock(side: Side, u: number): string[] {
  const { name, along, width, half } = side;
  const v = name.toLowerCase();
  const first = name === "A" ? "tileRow" : "tileColumn";
  const outer = (i: string) => `min(${first} + r + ${i}, uniforms.${v}Last)`;
  const index = (inner: string, across: string) =>
    along
      ? `${v}Base + ${across} * uniforms.${v}Row + ${inner}`
      : `${v}Base + ${inner} * uniforms.${v}Row + ${across}`;
  return rows4.map((i) => {
    if (width === 4) {
      // In fours k is whole fours, so that four from within begin within.
      const at = along
        ? index("min(p + q, k - 4)", outer(`${i}`))
        : index(`min(p + q + ${i}, kLast)`, outer("0"));
      const within = along ? "p + q < k" : `p + q + ${i} < k`;
      return `v${u}_${i} = select(vec4<f32>(0.0), ${read(name, at, 4, half)}, ${within});`;
    }
    const parts = rows4.map((c) => {
      const [inner, across] = along ? [c, i] : [i, c];
      const at = index(`min(p + q + ${inner}, kLast)`, outer(`${across}`));
      return `select(0.0, ${read(name, at, 1, half)}, p + q + ${inner} < k)`;
    });
    return `v${u}_${i} = vec4<f32>(${parts.join(", ")});`;
  });
}

/** Lines that put a block into workgroup memory, [depth, size / 4] of vec4s along the outer side. */
function putBlock({ name, along, size }: Side, u: number): string[] {
  return rows4.map((e) => {
    const value = along
      ? `vec4<f32>(${rows4.map((i) => `v${u}_${i}[${e}]`).join(", ")})`
      : `v${u}_${e}`;
    return `tile${name}[(q + ${e}) * ${size / 4} + r / 4] = ${value};`;
  });
}

/** Lines that deal a and b's blocks out among the lanes, `block` being what each does with its own. */
function deal(
  sides: readonly Side[],
  { lanes, depth }: ProductKernel,
  block: (side: Side, u: number) => string[],
): string[] {
  const total = sides.reduce((sum, { blocks }) => sum + blocks, 0);
  return range(Math.ceil(total / lanes)).flatMap((u) => {
    let begun = 0;
    return sides.flatMap((side) => {
      const from = begun - u * lanes;
      begun += side.blocks;
      const to = begun - u * lanes;
      if (to <= 0 || from >= lanes) return [];
      const within = [
        ...from > 0 ? [`lane >= ${from}`] : [],
        ...to < lanes ? [`lane < ${to}`] : [],
      ];
      return [
        within.length > 0 ? `if (${within.join(" && ")}) {` : "{",
        `let g = lane - ${from}; ${place(side, depth)}`.replace("- -", "+ "),
        ...block(side, u),
        "}",
      ];
    });
  });
}

/** Lines that store an invocation's tile: blocks of four rows and four columns, far apart. */
function stores(kernel: ProductKernel, { width, bias, ending }: Variant): string[] {
  const { rows, columns, across, lanes } = kernel;
  const down = lanes / across;
  const whole = width[2] === 4;
  return range(columns / 4).flatMap((j) => {
    const column = `tileColumn + (lx + ${j * across}) * 4`;
    const line = (i: number) => {
      const row = `tileRow + (ly + ${(i >> 2) * down}) * 4 + ${i & 3}`;
      if (whole) {
        const value = `s${i}_${j} * uniforms.scale${bias ? " + bias" : ""}`;
        return `if (${row} < uniforms.m) { ${
          store(ending, value, `(cBase + (${row}) * uniforms.cRow + column) >> 2u`)
        } }`;
      }
      return rows4.map((c) => {
        const value = `s${i}_${j}[${c}] * uniforms.scale${bias ? ` + Bias[column + ${c}]` : ""}`;
        return `if (${row} < uniforms.m && column + ${c} < uniforms.n) { ${
          store(ending, value, `cBase + (${row}) * uniforms.cRow + column + ${c}`)
        } }`;
      }).join("\n");
    };
    return [
      `{ let column = ${column};`,
      whole ? "if (column < uniforms.n) {" : "{",
      whole && bias ? "let bias = Bias[column >> 2u];" : "",
      ...range(rows).map(line),
      "} }",
    ];
  });
}

/**
 * WGSL of a product for cards: a workgroup brings a large tile's operands into its own memory as vec4s,
 * 4x4 blocks turned in registers on the way, and fetches the next ones while it multiplies. Sums run in
 * the same order as in registers alone.
 *
 * With `rowSums` it also adds up each row of a over the inner index, in ascending order.
 */
export function tiledSource(kernel: ProductKernel, variant: Variant): string {
  const { rows, columns, across, lanes, depth } = kernel;
  const [tileRows, tileColumns] = tileOf(kernel);
  const down = lanes / across;
  const sides = [sideOf("A", tileRows, depth, variant), sideOf("B", tileColumns, depth, variant)];
  const total = sides[0].blocks + sides[1].blocks;
  const fours = range(columns / 4);
  const fetches = deal(sides, kernel, fetchBlock);
  const inner = (k: number) => [
    "{",
    ...range(rows / 4).map((i) => `let a${i} = tileA[${k * tileRows / 4} + ly + ${i * down}];`),
    ...fours.map((j) => `let b${j} = tileB[${k * tileColumns / 4} + lx + ${j * across}];`),
    ...range(rows).flatMap((i) =>
      fours.map((j) => `s${i}_${j} = fma(vec4<f32>(a${i >> 2}[${i & 3}]), b${j}, s${i}_${j});`)
    ),
    "}",
  ];
  const summing = variant.rowSums
    ? [
      `if (tileColumn == 0 && lane < ${tileRows / 4}) {`,
      ...range(depth).map((k) => `rowSum = rowSum + tileA[${k * tileRows / 4} + lane];`),
      "}",
    ]
    : [];
  return [
    functions(variant),
    zero(variant.width[2]),
    `var<workgroup> tileA : array<vec4<f32>, ${depth * tileRows / 4}>;`,
    `var<workgroup> tileB : array<vec4<f32>, ${depth * tileColumns / 4}>;`,
    "fn main() {",
    "let lane = i32(localId.x);",
    "let group = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);",
    // All lanes come to every barrier: groups too many repeat the last tile and store nothing.
    ...places("min(group, uniforms.tiles - 1)", [tileRows, tileColumns]),
    `let ly = lane / ${across}; let lx = lane % ${across};`,
    ...range(rows).flatMap((i) => fours.map((j) => `var s${i}_${j} = vec4<f32>(0.0);`)),
    ...range(Math.ceil(total / lanes)).flatMap((u) =>
      rows4.map((i) => `var v${u}_${i} = vec4<f32>(0.0);`)
    ),
    variant.rowSums ? "var rowSum = vec4<f32>(0.0);" : "",
    "var p = 0;",
    ...fetches,
    `for (var begun = 0; begun < uniforms.part; begun = begun + ${depth}) {`,
    ...deal(sides, kernel, putBlock),
    "workgroupBarrier();",
    `p = begun + ${depth};`,
    ...fetches,
    ...range(depth).flatMap(inner),
    ...summing,
    "workgroupBarrier();",
    "}",
    "if (group >= uniforms.tiles) { return; }",
    ...variant.rowSums
      ? [
        `if (tileColumn == 0 && lane < ${tileRows / 4}) {`,
        ...rows4.map((c) =>
          `if (tileRow + lane * 4 + ${c} < uniforms.m) { ` +
          `RowSums[image * uniforms.m + tileRow + lane * 4 + ${c}] = rowSum[${c}]; }`
        ),
        "}",
      ]
      : [],
    ...stores(kernel, variant),
    "}",
  ].join("\n");
}
