import { parseSafetensors, type Weight } from "../../lib/model/safetensors.ts";

function read(name: string): Map<string, Weight> {
  const url = new URL(`../../fixtures/golden/${name}`, import.meta.url);
  return parseSafetensors(Deno.readFileSync(url), name).weights;
}

/** Inputs of PyTorch's and scikit-learn's numbers. */
const batch = read("methods_batch.safetensors");
/** What they computed from these. */
const expected = read("methods_expected.safetensors");

/** Registers a test against the golden numbers. */
export function goldenTest(
  name: string,
  test: (batch: Map<string, Weight>, expected: Map<string, Weight>) => void,
): void {
  Deno.test(name, () => test(batch, expected));
}
