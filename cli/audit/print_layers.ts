import type { LayerOutcome } from "../../lib/audit/layers/layer.ts";
import type { Terminal } from "../output/terminal.ts";

/** One line per layer. @returns whether one failed */
export function printLayers(layers: readonly LayerOutcome[], terminal: Terminal): boolean {
  const width = Math.max(...layers.map(({ layer }) => layer.length));
  for (const { layer, state, detail } of layers) {
    // A file's name could have line breaks, and after one what looks like a layer's line.
    const line = detail.replaceAll("\n", "\\n");
    terminal.print(`${state.padEnd(7)} ${layer.padEnd(width)}  ${line}`);
  }
  return layers.some(({ state }) => state === "failed");
}
