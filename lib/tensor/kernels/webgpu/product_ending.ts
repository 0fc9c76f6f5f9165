import { NORMAL } from "./gelu.ts";

/**
 * What happens to an element of a product before it is stored, so that it need not be read again:
 *
 * - `add`: `Other`, of the result's shape, is added (the residual connection)
 * - `gelu`: GELU of it is stored, and it itself in `Before`, which the backward pass reads
 * - `gelu gradient`: it is multiplied by GELU's derivative at `Other`
 */
export type Ending = "add" | "gelu" | "gelu gradient";

/** Names of the ending's own tensor: one that it reads, or one that it writes. */
export function endingTensors(ending: Ending | undefined): { reads: string[]; writes: string[] } {
  return {
    reads: ending && ending !== "gelu" ? ["Other"] : [],
    writes: ending === "gelu" ? ["Before"] : [],
  };
}

/** WGSL that stores `value` (a float or a vec4) in `result[at]`; `ZERO` is the zero of its type. */
export function store(ending: Ending | undefined, value: string, at: string): string {
  switch (ending) {
    case undefined:
      return `result[${at}] = ${value};`;
    case "add":
      return `{ let at = ${at}; result[at] = Other[at] + (${value}); }`;
    case "gelu":
      return `{ let at = ${at}; let x = ${value}; Before[at] = x;
        ${NORMAL} result[at] = x * distribution; }`;
    case "gelu gradient":
      return `{ let at = ${at}; let d = ${value}; let x = Other[at];
        ${NORMAL} result[at] = d * (distribution + x * density); }`;
  }
}

/** WGSL of the `ZERO` that {@link store} speaks of. */
export function zero(width: 1 | 4): string {
  return `const ZERO = ${width === 4 ? "vec4<f32>(0.0)" : "0.0"};`;
}
