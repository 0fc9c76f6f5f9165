import type { LayerOutcome } from "../../lib/audit/layers/layer.ts";
import type { Terminal } from "../output/terminal.ts";

/** One line per layer. @returns whether one failed */
export function printLayers(layers: readonly LayerOutcome[], terminal: Terminal): boolean {
  const width = Math.max(...layers.map(({ layer }) => layer.length));
  for (const { layer, state, detail } of layers) {
    terminal.print(`${state.padEnd(7)} ${layer.padEnd(width)}  ${detail}`);
  }
  return layers.some(({ state }) => state === "failed");
}
