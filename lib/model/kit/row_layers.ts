/** Parts of the model that rows may be kept of. */
export const ROW_LAYERS = ["all", "late", "mlp", "attention"] as const;
/** One of {@link ROW_LAYERS}. */
export type RowLayers = typeof ROW_LAYERS[number];

/**
 * Tensors of theta that rows are kept of: of the later half of the blocks, or of one kind of
 * layer, and the head.
 */
export function layerShapes(
  shapes: ReadonlyMap<string, readonly number[]>,
  layers: RowLayers,
): ReadonlyMap<string, readonly number[]> {
  if (layers === "all") return shapes;
  const depth = 1 + Math.max(...[...shapes.keys()].map((name) => blockOf(name) ?? 0));
  const within = (name: string) => {
    const block = blockOf(name);
    if (block === null) {
      return name.startsWith("head.") || layers === "late" && /^norm\./.test(name);
    }
    if (layers === "late") return block >= depth / 2;
    return name.includes(layers === "mlp" ? ".mlp." : ".attn.");
  };
  return new Map([...shapes].filter(([name]) => within(name)));
}

/** The block that a tensor belongs to, from 0; null for none. */
function blockOf(name: string): number | null {
  const [, block] = /^blocks\.(\d+)\./.exec(name) ?? [];
  return block === undefined ? null : Number(block);
}
