import { parseSafetensors, type Weight } from "../../lib/model/safetensors.ts";

const FOLDER = new URL("../../../shared/golden/0/", import.meta.url);

function read(name: string): Map<string, Weight> | null {
  try {
    return parseSafetensors(Deno.readFileSync(new URL(name, FOLDER)), name).weights;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Inputs of PyTorch's numbers for the methods; null where the golden folder is not beside the repository. */
export const METHODS_BATCH = read("methods_batch.safetensors");
/** What PyTorch computed from {@link METHODS_BATCH}. */
export const METHODS_EXPECTED = read("methods_expected.safetensors");

/** Registers a test against the golden folder; ignored, visibly, where that is absent. */
export function goldenTest(
  name: string,
  test: (batch: Map<string, Weight>, expected: Map<string, Weight>) => void,
): void {
  const absent = METHODS_BATCH === null || METHODS_EXPECTED === null;
  Deno.test({
    name: absent ? `${name} (needs ../shared/golden/0)` : name,
    ignore: absent,
    fn: () => test(METHODS_BATCH!, METHODS_EXPECTED!),
  });
}
