import { LetheError } from "../../error.ts";
import { adapterName, findAdapter, WASM_ADAPTER } from "../../tensor/adapter_name.ts";

/**
 * The adapter that a worker computed on, as this process finds it: the worker's own word decides between
 * WASM and WebGPU where the run left that open, and nothing else. A rerun compares bit for bit on the same
 * adapter only, so a name that nobody has would loosen that.
 *
 * @param asked the run's `device`
 * @param said what the worker calls it
 * @throws {LetheError} the worker names another one
 */
export async function workerAdapter(
  asked: "auto" | "webgpu" | "wasm",
  said: string,
): Promise<string> {
  const wasm = asked === "wasm" || asked === "auto" && said === WASM_ADAPTER;
  const adapter = wasm ? null : await findAdapter();
  const found = wasm ? WASM_ADAPTER : adapter === null ? "no adapter" : adapterName(adapter.info);
  if (found === said) return found;
  throw new LetheError(
    `the worker says that it computed on ${JSON.stringify(said.slice(0, 200))}`,
    `asked for ${asked}, this machine has ${found}`,
    "do not use its output; check that the code in lib/ is what it was",
    { exitCode: 3 },
  );
}
