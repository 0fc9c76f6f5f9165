import { range } from "../product_source.ts";

/**
 * Pieces of WGSL for attention without [n, n] in memory (Dao et al. 2022): a workgroup owns 32 rows of
 * one head and goes through the other side's rows in tiles of 32. In workgroup memory a tile lies turned,
 * [headDim, 8] of vec4s, each over four rows, so that what belongs to a row is one component of a vec4.
 *
 * Lane (tx, ty) of 8 x 8 has rows 4 ty .. 4 ty + 3 of its workgroup, against the other side's 4 tx ..
 * 4 tx + 3, and of the result the columns tx, tx + 8, ..
 */

/** Rows of a tile, lanes of a workgroup. */
export const TILE = 32;
export const LANES = 64;

/** Bytes of one tile's rows in workgroup memory, and of a [32, 32] block between two sides. */
export const tileBytes = (headDim: number) => 4 * TILE * headDim;
export const BLOCK_BYTES = 4 * TILE * TILE;

export const fours = range(4);

/** The columns of the result that a lane has, as `acc` counts them; the last may be beyond headDim. */
export function columnsOf(headDim: number): number[] {
  return range(Math.ceil(headDim / 8));
}

/** A variable of workgroup memory: a turned tile, or a [32, 32] block. */
export function tile(name: string, headDim: number): string {
  return `var<workgroup> ${name} : array<vec4<f32>, ${headDim * TILE / 4}>;`;
}
export function block(name: string): string {
  return `var<workgroup> ${name} : array<vec4<f32>, ${TILE * TILE / 4}>;`;
}

/** Lines at the beginning of `main`: lane, head and the first row of the workgroup's own. */
export const BEGIN = `
  let lane = i32(localId.x); let ty = lane / 8; let tx = lane % 8;
  let group = min(i32(workgroupId.y * numWorkgroups.x + workgroupId.x), uniforms.groups - 1);
  let own = (group % uniforms.tiles) * ${TILE};
  let block = group / uniforms.tiles;
  let image = block / uniforms.heads; let head = block % uniforms.heads;
  let n = uniforms.n;`;

/**
 * Lines that bring rows `first` .. of one head into a turned tile; rows beyond n are read as the last.
 *
 * @param part which third of a [b, n, 3 d] tensor; null: it is [b, n, d]
 */
export function load(
  into: string,
  from: string,
  part: number | null,
  first: string,
  headDim: number,
): string {
  const across = headDim / 4;
  const [width, offset] = part === null
    ? ["uniforms.d", "0"]
    : ["3 * uniforms.d", `${part} * uniforms.d`];
  const row = (i: number) =>
    `${from}[((image * n + min(${first} + r * 4 + ${i}, n - 1)) * (${width}) + ${offset} + ` +
    `head * ${headDim}) / 4 + q]`;
  // Lanes side by side write side by side, or they would wait for the same bank of workgroup memory.
  return range(Math.ceil(across / 8)).map((turn) => {
    const guard = 8 * turn + 8 > across ? `if (q < ${across})` : "";
    return `{ let r = lane % 8; let q = lane / 8 + ${8 * turn};
    ${guard} {
    ${fours.map((i) => `let v${i} = ${row(i)};`).join("\n    ")}
    ${
      fours.map((e) =>
        `${into}[(4 * q + ${e}) * 8 + r] = vec4<f32>(v0[${e}], v1[${e}], v2[${e}], v3[${e}]);`
      ).join("\n    ")
    }
    } }`;
  }).join("\n    ");
}

/** Lines that declare four vec4s, one per row of the other side. */
export function zeros(name: string): string {
  return fours.map((e) => `var ${name}${e} = vec4<f32>(0.0);`).join(" ");
}

/** Columns that are written out one after the other: a loop's own work would take longer than theirs. */
function writtenOut(headDim: number): number {
  return [8, 4].find((count) => headDim % count === 0)!;
}

/** Lines that add products of tiles: `own` over the workgroup's rows, `theirs` over the other side's. */
export function scores(
  sums: readonly { into: string; own: string; theirs: string }[],
  headDim: number,
): string {
  const tiles = [...new Set(sums.flatMap(({ own }) => own))];
  const others = [...new Set(sums.flatMap(({ theirs }) => theirs))];
  const count = writtenOut(headDim);
  const column = (c: number) =>
    `{ ${tiles.map((name) => `let own${name} = ${name}[ownAt + ${8 * c}];`).join(" ")}
    ${others.map((name) => `let their${name} = ${name}[theirAt + ${8 * c}];`).join(" ")}
    ${
      sums.flatMap(({ into, own, theirs }) =>
        fours.map((e) =>
          `${into}${e} = fma(vec4<f32>(their${theirs}[${e}]), own${own}, ${into}${e});`
        )
      ).join("\n    ")
    } }`;
  return `for (var c = 0; c < ${headDim}; c = c + ${count}) {
    let ownAt = c * 8 + ty; let theirAt = c * 8 + tx;
    ${range(count).map(column).join("\n    ")}
  }`;
}

/** Lines that add, for each of a lane's columns, a block's rows times a tile: acc += block tile. */
export function weigh(
  sums: readonly { acc: string; block: string; tile: string }[],
  headDim: number,
): string {
  const blocks = [...new Set(sums.map((sum) => sum.block))];
  const at = (j: number) =>
    8 * j + 8 > headDim ? `min(tx + ${8 * j}, ${headDim - 1}) * 8` : `tx * 8 + ${64 * j}`;
  const line = (acc: string, name: string, of: string, j: number, g: number) =>
    `{ let x = ${of}[${at(j)} + g + ${g}];
      ${
      fours.map((e) => `${acc}${j} = fma(vec4<f32>(x[${e}]), ${name}${e}, ${acc}${j});`).join(" ")
    } }`;
  return `for (var g = 0; g < 8; g = g + 2) {
    ${
    range(2).map((g) =>
      `{ ${
        blocks.flatMap((name) =>
          fours.map((e) => `let ${name}${e} = ${name}[g * 32 + ${(4 * g + e) * 8} + ty];`)
        ).join(" ")
      }
      ${
        sums.flatMap(({ acc, block, tile }) =>
          columnsOf(headDim).map((j) => line(acc, block, tile, j, g))
        ).join("\n      ")
      } }`
    ).join("\n    ")
  }
  }`;
}

/** Lines that declare a lane's columns of a result. */
export function accumulators(name: string, headDim: number): string {
  return columnsOf(headDim).map((j) => `var ${name}${j} = vec4<f32>(0.0);`).join(" ");
}

/**
 * Lines that store a lane's columns.
 *
 * @param value of column j, a vec4 over rows
 * @param part as in {@link load}
 */
export function storeColumns(
  into: string,
  value: (j: number) => string,
  part: number | null,
  headDim: number,
): string {
  const [width, offset] = part === null
    ? ["uniforms.d", "0"]
    : ["3 * uniforms.d", `${part} * uniforms.d`];
  return columnsOf(headDim).map((j) =>
    `if (tx + ${8 * j} < ${headDim}) { let value = ${value(j)};
      ${
      fours.map((i) =>
        `if (own + 4 * ty + ${i} < n) { ${into}[(image * n + own + 4 * ty + ${i}) * (${width}) + ` +
        `${offset} + head * ${headDim} + tx + ${8 * j}] = value[${i}]; }`
      ).join("\n      ")
    } }`
  ).join("\n    ");
}

/** A lane's share of a sum over the other side, and the sum over all lanes of a row, in a fixed order. */
export const acrossLanes = (
  combine: (a: string, b: string) => string,
  from: string,
  start: string,
) => range(8).reduce((so, t) => combine(so, `${from}[${t * 8} + ty]`), start);
