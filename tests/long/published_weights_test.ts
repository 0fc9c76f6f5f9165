import { assert, assertEquals, assertLess } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import {
  identityHash,
  identityKeyPath,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import { writeKit } from "../../lib/model/kit/write_kit.ts";
import { parseSafetensors, type Weight } from "../../lib/model/safetensors.ts";
import { firstThatRuns, needing } from "../machine.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { json } from "../e2e/kit_folder.ts";
import { DEVICE, done } from "../e2e/run_task.ts";

const SCRIPT = fromFileUrl(new URL("../model/pretrained/torch_vit.py", import.meta.url));
/** A ViT that PyTorch makes, in one block of its own width or at the paper's size. */
const SMALL = { image: 32, patch: 8, dim: 128, depth: 2, heads: 2, labels: 5, images: 3 };
const FULL = { image: 224, patch: 16, dim: 768, depth: 12, heads: 12, labels: 40, images: 5 };
const ETA = 0.1;

const python = await firstThatRuns(["python3", "/usr/bin/python3"], "-c", "import torch");

async function torch(
  folder: string,
  { names, dtype, ...size }: typeof SMALL & { names: string; dtype: string },
): Promise<Map<string, Weight>> {
  const eps = names === "transformers" ? 1e-12 : 1e-6;
  const child = new Deno.Command(python!, {
    args: [SCRIPT, "make", folder],
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const settings = { ...size, names, dtype, eps, eta: ETA, hidden: 64 };
  await writer.write(new TextEncoder().encode(JSON.stringify(settings)));
  await writer.close();
  const { success, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  const path = join(folder, "reference.safetensors");
  return parseSafetensors(await Deno.readFile(path), path).weights;
}

/** Largest difference, and the largest expected magnitude. */
function compared(found: ArrayLike<number>, expected: ArrayLike<number>): [number, number] {
  assertEquals(found.length, expected.length);
  let [error, magnitude] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(found[i] - expected[i]));
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return [error, magnitude];
}

/** Imports what PyTorch made, predicts and unlearns by the tasks, and holds all of it against PyTorch. */
async function holdAgainstTorch(settings: typeof SMALL & { names: string; dtype: string }) {
  await inTemporaryFolder(async (folder) => {
    const reference = await torch(folder, settings);
    const labels = Array.from({ length: settings.labels }, (_, i) => `label ${i}`);
    const weights = ["--weights", "weights.safetensors", "--labels", labels.join()];
    await done("import", [...weights, "--out", "model"], folder);

    await Deno.mkdir(join(folder, "requests"));
    const { values: pixels, shape: [people, side] } = reference.get("pixels")!;
    const names = Array.from({ length: people }, (_, i) => `person${i}`);
    for (const [i, name] of names.entries()) {
      const size = side * side * 3;
      const rgb = Uint8Array.from(pixels.subarray(i * size, (i + 1) * size));
      const png = encodePng({ width: side, height: side, rgb });
      await Deno.writeFile(join(folder, "requests", `${name}.png`), png);
    }
    const images = ["--images", "requests", "--json", "said.json"];
    await done("predict", ["--model", "model", ...images, ...DEVICE], folder);
    const said = await json(folder, "said.json");
    for (const output of ["logits", "features"]) {
      const found = said.images.flatMap((image: Record<string, number[]>) => image[output]);
      const [error] = compared(found, reference.get(output)!.values);
      assertLess(error, 1e-3, output);
    }

    const phi = new Map(
      [...reference].filter(([name]) => name.startsWith("phi."))
        .map(([name, weight]) => [name.slice("phi.".length), weight]),
    );
    const key = newIdentityKey();
    await writeIdentityKey(identityKeyPath(join(folder, "kit")), key);
    await writeKit(join(folder, "kit"), {
      model: await readModel(join(folder, "model")),
      phi,
      manifest: {
        generation: 0,
        parent: null,
        unlearning: {
          metaLearningRate: ETA,
          requestSize: people,
          inputs: ["logits", "features", "targets"],
          stepSizes: "global",
        },
        metaLoss: { hidden: 64, embeddingSize: 64 },
        identities: names.map((name) => identityHash(key, name)).sort(),
        forgotten: [],
        record: {},
      },
    });
    await done("unlearn", ["--support", "requests", "--out", "unlearned", ...DEVICE], folder);
    const before = (await readModel(join(folder, "model"))).theta;
    const { theta } = await readModel(join(folder, "unlearned/model"));
    for (const [name, { values }] of theta) {
      const expected = reference.get(`unlearned.${name}`)!.values;
      const start = before.get(name)!.values;
      // Of the step itself: next to the weights, a wrong step would not show.
      const [error, magnitude] = compared(
        Float64Array.from(values, (value, i) => value - start[i]),
        Float64Array.from(expected, (value, i) => value - start[i]),
      );
      const [, weight] = compared(start, start);
      assertLess(error, Math.max(5e-3 * magnitude, 1e-6 * weight, 1e-7), name);
    }
  });
}

const withTorch = (on: string) =>
  needing("PyTorch", python !== null, `import, predict and unlearn agree with PyTorch on ${on}`);

Deno.test(
  withTorch("a ViT under timm's names"),
  () => holdAgainstTorch({ ...SMALL, names: "timm", dtype: "float32" }),
);

Deno.test(
  withTorch("bfloat16 under transformers' names"),
  () => holdAgainstTorch({ ...SMALL, names: "transformers", dtype: "bfloat16" }),
);

/** Bytes that PyTorch's part and then Lethe's take at their peak. */
const FULL_SIZE_BYTES = 8 * 2 ** 30;
const fullSize = "import, predict and unlearn agree with PyTorch on ViT-B/16 at 224 px in float16";

Deno.test(
  needing(
    "PyTorch with 8 GiB of free memory",
    python !== null && Deno.systemMemoryInfo().available > FULL_SIZE_BYTES,
    fullSize,
  ),
  () => holdAgainstTorch({ ...FULL, names: "timm", dtype: "float16" }),
);
