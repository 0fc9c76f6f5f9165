import { acrossLanes, fours } from "./tiles.ts";

const max = (a: string, b: string) => `max(${a}, ${b})`;
/** WGSL of a sum, for `acrossLanes`. */
export const plus = (a: string, b: string) => `${a} + ${b}`;
/** Below every score. */
export const LOWEST = "vec4<f32>(-3.0e38)";

/** Scores of this tile's rows, scaled; those beyond n give nothing. */
export const masked = fours.map((e) =>
  `s${e} = select(${LOWEST}, s${e} * uniforms.scale, begun + 4 * tx + ${e} < n);`
).join(" ");

/**
 * The running maximum of each row, the factor that corrects earlier sums for it, and e^(score -
 * maximum).
 */
export const RUNNING = `
    peaks[tx * 8 + ty] = max(max(s0, s1), max(s2, s3));
    workgroupBarrier();
    let next = ${acrossLanes(max, "peaks", "largest")};
    ${
  fours.map((e) => `let p${e} = exp(s${e} - next); P[(4 * tx + ${e}) * 8 + ty] = p${e};`).join(" ")
}
    sums[tx * 8 + ty] = (p0 + p1) + (p2 + p3);
    let keep = exp(largest - next); largest = next;`;
