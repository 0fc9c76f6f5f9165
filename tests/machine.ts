/**
 * What the machine that the tests run on may lack. A test that needs it is skipped, its name says for
 * lack of what, and the last line counts it.
 */

/** LETHE_TEST_DEVICES=wasm limits the tests to one backend. */
export const BACKENDS: readonly string[] = (Deno.env.get("LETHE_TEST_DEVICES") ?? "webgpu,wasm")
  .split(",");

/** Whether there is a WebGPU adapter, and the tests may use it. */
export const HAS_ADAPTER: boolean = BACKENDS.includes("webgpu") &&
  await navigator.gpu?.requestAdapter() != null;

/** Whether a program is there and succeeds with these arguments. */
export async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(60_000); // asked before any test, whose limits do not hold here
    const command = new Deno.Command(program, { args, signal, stdin: "null" });
    return (await command.output()).success; // spawning throws at once where there is no such program
  } catch {
    return false;
  }
}

/** The first of some programs that succeeds with these arguments; null where none does. */
export async function firstThatRuns(
  programs: readonly string[],
  ...args: string[]
): Promise<string | null> {
  for (const program of programs) if (await runs(program, ...args)) return program;
  return null;
}

/** Name and `ignore` of a test that needs something: `Deno.test(needing("Chromium", there, ".."), ..)`. */
export function needing(
  what: string,
  there: boolean,
  name: string,
): { name: string; ignore: boolean } {
  return there ? { name, ignore: false } : { name: `${name} (skipped: no ${what})`, ignore: true };
}
