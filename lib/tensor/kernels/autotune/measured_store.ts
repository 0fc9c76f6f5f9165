import { parseCase, type ProductChoice } from "./product_choice.ts";

/** What was measured, by adapter. */
export type Measured = Readonly<Record<string, ProductChoice>>;

/** The number changes when kernels change so much that old measurements mislead. */
const KEY = "lethe kernels 1";

/** Absent in workers, and from their types; may throw. */
function storage() {
  return (globalThis as {
    readonly localStorage?: {
      getItem(key: string): string | null;
      setItem(key: string, value: string): void;
    };
  }).localStorage;
}

/** This process's own, and all that a worker has. */
let memory: Measured = {};

/** All that was measured before; what is damaged counts as not measured. */
export function readMeasured(): Measured {
  const found: Record<string, ProductChoice> = { ...memory };
  try {
    const stored: unknown = JSON.parse(storage()?.getItem(KEY) ?? "{}");
    for (const [adapter, products] of Object.entries(stored as Record<string, unknown>)) {
      const entries = Object.entries(products as Record<string, unknown>)
        .filter(([name, kernel]) => parseCase(name) !== null && typeof kernel === "string");
      found[adapter] = {
        ...Object.fromEntries(entries) as Record<string, string>,
        ...found[adapter],
      };
    }
  } catch {
    // Disks fill up, files get damaged: that costs another measurement.
  }
  return found;
}

/** Keeps what was measured besides what is kept already. */
export function keepMeasured(measured: Measured): void {
  const all: Record<string, ProductChoice> = { ...readMeasured() };
  for (const [adapter, products] of Object.entries(measured)) {
    all[adapter] = { ...all[adapter], ...products };
  }
  memory = all;
  try {
    storage()?.setItem(KEY, JSON.stringify(all));
  } catch {
    // As above.
  }
}
