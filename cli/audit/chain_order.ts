import { dirname, join } from "@std/path";
import { UsageError } from "../../lib/error.ts";
import { readPlainText } from "../../lib/files/plain_file.ts";
import { shellWord } from "../../lib/files/shell_word.ts";

/** What a receipt in a chain is of, in the chain's order. */
const ROLES = ["model", "kit", "request"] as const;
type Role = typeof ROLES[number];

/** As much of a receipt as tells its place; the whole of it is checked later. */
interface Named {
  readonly path: string;
  /** Null where it is no receipt by its looks, as a damaged one may be. */
  readonly role: Role | null;
  /** Of a model: its weights; of a kit: the weights that it was learned from. */
  readonly weights: unknown;
}

/** Who writes a receipt, and where. */
const WRITTEN: Readonly<Record<"model" | "kit", string>> = {
  model: "train writes it beside the model (MODEL.receipt.json) where it is given a --signing-key",
  kit: "meta-learn writes it beside the kit (KIT.receipt.json) where it is given a --signing-key",
};

/**
 * Refuses a chain that lacks a receipt or has them in another order: nothing was altered there, and what is
 * missing may lie beside what is named.
 *
 * @throws UsageError
 */
export async function needOrder(chain: readonly string[]): Promise<void> {
  const named = await Promise.all(chain.map(lookAt));
  for (const role of ["model", "kit"] as const) {
    // A receipt that nobody can make out may be the one that is missing.
    if (named.some((each) => each.role === role || each.role === null)) continue;
    const folders = [...new Set(chain.map((path) => dirname(path)))];
    const found = await besideFor(role, named, folders);
    const whole = inOrder(found === null ? named : [...named, found]);
    throw new UsageError(
      `--chain ${chain.join(",")} holds no receipt of a ${role}`,
      WRITTEN[role],
      found === null
        ? `it was looked for in the list and beside what that names (${
          folders.map((folder) => join(folder, "*.receipt.json")).join(", ")
        }): add it`
        : `did you mean --chain ${shellWord(whole.join(","))}?`,
    );
  }
  const right = inOrder(named);
  if (named.some(({ role }) => role === null) || right.join() === chain.join()) return;
  throw new UsageError(
    `--chain ${chain.join(",")} is in another order`,
    "a chain goes from the model by its kit to the requests",
    `give --chain ${shellWord(right.join(","))}`,
  );
}

/** By role; requests stay among themselves as they are. */
function inOrder(named: readonly Named[]): string[] {
  return ROLES.flatMap((role) => named.filter((each) => each.role === role)).map(({ path }) =>
    path
  );
}

/** The receipt that is missing, where it lies in a folder of the others and is about the same weights. */
async function besideFor(
  role: "model" | "kit",
  named: readonly Named[],
  folders: readonly string[],
): Promise<Named | null> {
  const other = named.find((each) => each.role === (role === "model" ? "kit" : "model"));
  if (other === undefined) return null;
  for (const folder of folders) {
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    for (const { name } of entries) {
      if (!name.endsWith(".receipt.json")) continue;
      const found = await lookAt(folder === "." ? name : join(folder, name));
      if (found.role === role && found.weights === other.weights) return found;
    }
  }
  return null;
}

async function lookAt(path: string): Promise<Named> {
  try {
    const fields = JSON.parse(await readPlainText(path, { maxBytes: 2 ** 26 }));
    if (fields.version === "making 1") {
      return fields.step === "train"
        ? { path, role: "model", weights: fields.made.weights }
        : { path, role: fields.step === "meta-learn" ? "kit" : null, weights: fields.from };
    }
    return { path, role: Array.isArray(fields.requests) ? "request" : null, weights: null };
  } catch {
    return { path, role: null, weights: null };
  }
}
