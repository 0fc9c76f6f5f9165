// @ts-types="@types/d3-scale"
import { type ScaleLinear, scaleLinear } from "d3-scale";
import type { Axis } from "./plot.ts";

/** Decimals that an axis shows at most, however near its values lie. */
const MOST_DECIMALS = 6;

/**
 * An axis that holds all of some values, its ends and ticks round numbers.
 *
 * @param values at least one, finite; where all are equal the axis reaches a little to both sides
 * @param range pixels of the least and of the largest value
 * @param count about how many ticks there should be
 */
export function linearAxis(
  values: readonly number[],
  range: readonly [number, number],
  label: string,
  count = 5,
): Axis & { readonly scale: ScaleLinear<number, number> } {
  let [least, largest] = [Math.min(...values), Math.max(...values)];
  // What differs in a rounding only is equal: no axis could show it.
  const apart = Math.max(Math.abs(least), Math.abs(largest), 1e-6) * 1e-6;
  if (largest - least < apart) {
    const room = Math.max(Math.abs(largest) / 10, 1e-3);
    [least, largest] = [least - room, largest + room];
  }
  const scale = scaleLinear([least, largest], [...range]).nice(count);
  const ticks = scale.ticks(count);
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const decimals = Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), MOST_DECIMALS);
  return {
    scale,
    ticks: ticks.map((at) => ({ at, text: rounded(at, decimals) })),
    label,
  };
}

/** Without a minus before nought. */
function rounded(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text;
}
