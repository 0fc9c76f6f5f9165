/**
 * Pieces of WGSL for kernels on the rows of [m, d] tensors in which several lanes share a row, as a card
 * wants it. A row's numbers are read four at a time where they come in fours ("elements").
 */
export interface RowLanes {
  /** Numbers per element. */
  readonly width: 1 | 4;
  /** Elements per row. */
  readonly columns: number;
  /** Lanes that share a row, a power of two. */
  readonly across: number;
  /** Rows side by side in a workgroup. */
  readonly rows: number;
  readonly lanes: number;
}

const LANES = 128;
/** Bytes of workgroup memory that rows side by side may take. */
const BYTES = 12_288;

/** How many lanes share a row of d numbers. */
export function rowLanes(d: number): RowLanes {
  const width = d % 4 === 0 ? 4 : 1;
  const columns = d / width;
  let across = 8;
  while (across < columns && across < 64) across *= 2;
  const rows = Math.max(1, Math.min(LANES / across, Math.floor(BYTES / (4 * d))));
  return { width, columns, across, rows, lanes: rows * across };
}

/** Whether a workgroup has room for a row. */
export function fitsRow(d: number): boolean {
  return 4 * d <= BYTES;
}

/** What stands before `main`: the zero of an element, the sum of its numbers, memory for sums. */
export function rowFunctions({ width, lanes }: RowLanes): string {
  return `${
    width === 4
      ? "const ZERO = vec4<f32>(0.0); " +
        "fn total(x : vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }"
      : "const ZERO = 0.0; fn total(x : f32) -> f32 { return x; }"
  }
  var<workgroup> scratch : array<vec2<f32>, ${lanes}>;`;
}

/** Lines that run for each of a lane's elements c; `at` is where it lies in the tensor. */
export function eachColumn({ columns, across }: RowLanes, lines: string): string {
  return `for (var c = slot; c < ${columns}; c = c + ${across}) { let at = start + c; ${lines} }`;
}

/** Lines that add up two terms over a row, in an order that its length decides; all lanes get both. */
export function sumOverRow(lanes: RowLanes, name: string, first: string, second = "ZERO"): string {
  const steps: string[] = [];
  for (let half = lanes.across / 2; half >= 1; half /= 2) {
    steps.push(
      `if (slot < ${half}) { scratch[lane] = scratch[lane] + scratch[lane + ${half}]; }`,
      "workgroupBarrier();",
    );
  }
  return `var ${name}A = ZERO; var ${name}B = ZERO;
  ${
    eachColumn(
      lanes,
      `${name}A = ${name}A + ${first}; ${
        second === "ZERO" ? "" : `${name}B = ${name}B + ${second};`
      }`,
    )
  }
  scratch[lane] = vec2<f32>(total(${name}A), total(${name}B));
  workgroupBarrier();
  ${steps.join("\n  ")}
  let ${name} = scratch[lane - slot];
  workgroupBarrier();`;
}
