/** Variables by which the dynamic linker loads code into a program, or finds it elsewhere. */
const LINKER = /^\s*(?:LD|DYLD)_/i;

/** Whether a variable is an order to the dynamic linker. */
export function ordersLinker(name: string): boolean {
  return LINKER.test(name);
}

/** What of a child's environment `Deno.Command` takes. */
export interface ChildEnvironment {
  readonly clearEnv?: true;
  readonly env: Readonly<Record<string, string>>;
}

/** The linker's best known orders, set to nothing where the others cannot be known. */
const SILENCED: ChildEnvironment = {
  env: Object.fromEntries(
    ["LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "LD_DEBUG", "LD_BIND_NOW", "LD_RUN_PATH"]
      .concat(["DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH"])
      .map((name) => [name, ""]),
  ),
};

let known: Promise<ReadonlyMap<string, string> | null> | undefined;

/** This process's own environment, which it has no permission to read; null where only Linux tells. */
export function launcherEnvironment(): Promise<ReadonlyMap<string, string> | null> {
  return known ??= Deno.build.os === "linux" ? readParents() : Promise.resolve(null);
}

/**
 * This process's environment for the programs that it runs, without orders to the linker: Deno starts
 * no program with one of these unless it may run every program, and none of them is the worker's.
 */
export async function withoutLinkerOrders(): Promise<ChildEnvironment> {
  const environment = await launcherEnvironment();
  if (environment === null) return SILENCED;
  const kept = [...environment].filter(([name]) => !ordersLinker(name));
  return { clearEnv: true, env: Object.fromEntries(kept) };
}

/** A child with an empty environment reads that of its parent. */
async function readParents(): Promise<ReadonlyMap<string, string> | null> {
  const { success, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", "exec cat /proc/$PPID/environ"],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin" },
    stdin: "null",
    stderr: "null",
  }).output();
  return success ? parseEnvironment(stdout) : null;
}

/** Reads `NAME=value` entries that a zero byte ends; those that are not UTF-8 are left out. */
export function parseEnvironment(bytes: Uint8Array): Map<string, string> {
  const environment = new Map<string, string>();
  for (let start = 0; start < bytes.length;) {
    const zero = bytes.indexOf(0, start);
    const end = zero < 0 ? bytes.length : zero;
    const entry = utf8(bytes.subarray(start, end));
    const sign = entry?.indexOf("=") ?? -1;
    if (sign > 0) environment.set(entry!.slice(0, sign), entry!.slice(sign + 1));
    start = end + 1;
  }
  return environment;
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
