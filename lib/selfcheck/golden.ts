import { join } from "@std/path";
import { readPlainFile } from "../files/plain_file.ts";
import { LetheError } from "../error.ts";
import { parseSafetensors, type Weight } from "../model/safetensors.ts";
import type { VitShape } from "../model/vit.ts";

/** A folder of golden numbers: inputs and what PyTorch computed from them in float64. */
export interface Golden {
  /** Of the network. */
  readonly shape: VitShape;
  /** Number of labels; the golden model is multi-label. */
  readonly labels: number;
  /** eta. */
  readonly metaLearningRate: number;
  /** Weights and what they are. */
  readonly model: ReadonlyMap<string, Weight>;
  /** Its parameters. */
  readonly metaLoss: ReadonlyMap<string, Weight>;
  /** The images and targets. */
  readonly batch: ReadonlyMap<string, Weight>;
  /** PyTorch's numbers. */
  readonly expected: ReadonlyMap<string, Weight>;
  /** Inputs and numbers of the methods that MetaUnlearn is compared with. */
  readonly methods: {
    readonly batch: ReadonlyMap<string, Weight>;
    readonly expected: ReadonlyMap<string, Weight>;
  };
  /** Numbers of `--method memory`; folders made before it have none. */
  readonly memory?: ReadonlyMap<string, Weight>;
  /** Numbers of the methods that this project adds; folders made before them have none. */
  readonly compared?: ReadonlyMap<string, Weight>;
}

/** Golden files are small; anything larger is not one. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Reads a golden folder: `config.json`, `model`, `meta_loss`, `batch`, `expected`, `methods_batch` and
 * `methods_expected.safetensors`, and `memory_expected` and `compared_expected.safetensors` where they are.
 *
 * @throws LetheError a file is missing, malformed or lacks a field
 */
export async function readGolden(folder: string): Promise<Golden> {
  const read = async (name: string) => {
    const path = join(folder, `${name}.safetensors`);
    return parseSafetensors(await readPlainFile(path, { maxBytes: MAX_BYTES }), path).weights;
  };
  const ifThere = async (name: string) => {
    const path = join(folder, `${name}.safetensors`);
    const there = await Deno.lstat(path).then(() => true, () => false);
    return there ? await read(name) : undefined;
  };
  const [memory, compared] = [await ifThere("memory_expected"), await ifThere("compared_expected")];
  const path = join(folder, "config.json");
  const config = parseConfig(await readPlainFile(path, { maxBytes: MAX_BYTES }), path);
  return {
    shape: {
      imageSize: config("img"),
      patchSize: config("patch"),
      dim: config("dim"),
      depth: config("depth"),
      heads: config("heads"),
      layerNormEps: config("layer_norm_eps_vit"),
    },
    labels: config("classes"),
    metaLearningRate: config("meta_lr"),
    model: await read("model"),
    metaLoss: await read("meta_loss"),
    batch: await read("batch"),
    expected: await read("expected"),
    methods: { batch: await read("methods_batch"), expected: await read("methods_expected") },
    ...(memory ? { memory } : {}),
    ...(compared ? { compared } : {}),
  };
}

function parseConfig(bytes: Uint8Array, path: string): (field: string) => number {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new LetheError(
      `${path} is not JSON`,
      "a golden folder states its shapes there",
      "use an intact folder",
      { cause },
    );
  }
  return (field) => {
    const value = (parsed as Record<string, unknown> | null)?.[field];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new LetheError(
      `${path}: ${field} is ${JSON.stringify(value)}`,
      "a golden folder states it as a number",
      "use an intact folder",
    );
  };
}

/** A tensor of a golden file. @throws LetheError it is not there */
export function goldenTensor(file: ReadonlyMap<string, Weight>, name: string): Weight {
  const weight = file.get(name);
  if (weight) return weight;
  throw new LetheError(
    `the golden folder has no tensor ${name}`,
    "selfcheck compares it",
    "use a folder of the layout that ../shared/golden/README.md describes",
  );
}
