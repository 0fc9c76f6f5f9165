import { UsageError } from "../../lib/error.ts";

/** What a command's passes may take: rows of its option table. */
export const MEMORY_OPTIONS = {
  microBatch: {
    kind: "integer",
    min: 1,
    max: 4096,
    help: "images per pass (as many as the memory limit holds)",
  },
  memoryLimit: {
    kind: "text",
    value: "SIZE",
    help: "device memory to keep within, e.g. 8GiB (WebGPU 4GiB, WASM 2GiB)",
  },
} as const;

/**
 * The values of {@link MEMORY_OPTIONS} that were given, the limit in bytes.
 *
 * @throws UsageError the limit is no size such as `8GiB` or `512MiB`
 */
export function memoryChoice(
  given: { readonly microBatch?: number | undefined; readonly memoryLimit?: string | undefined },
): { microBatch?: number; memoryLimit?: number } {
  const { microBatch, memoryLimit } = given;
  return {
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(memoryLimit === undefined ? {} : { memoryLimit: readSize(memoryLimit) }),
  };
}

const UNITS = { MiB: 2 ** 20, GiB: 2 ** 30 } as const;

function readSize(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(number) * UNITS[unit as keyof typeof UNITS];
  if (bytes > 0) return bytes;
  throw new UsageError(
    `--memory-limit ${text}`,
    "it takes a number and MiB or GiB",
    "write for example --memory-limit 8GiB",
  );
}
