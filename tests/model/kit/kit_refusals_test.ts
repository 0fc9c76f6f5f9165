import { assert, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { LetheError } from "../../../lib/error.ts";
import { readKit } from "../../../lib/model/kit/read_kit.ts";
import type { KitManifest } from "../../../lib/model/kit/kit_manifest.ts";
import { smallKit } from "../small_kit.ts";
import { changeManifest, HASHES, onKit } from "./kit_on_disk.ts";

Deno.test("readKit refuses files and folders that kit.json does not name", () =>
  onKit(smallKit(HASHES, false), async (folder) => {
    for (const name of ["step_sizes.safetensors", "photo.jpg", ".hidden"]) {
      await Deno.writeFile(join(folder, name), new Uint8Array(1));
      await assertRejects(() => readKit(folder), LetheError, `${name} is not named in kit.json`);
      await Deno.remove(join(folder, name));
    }
    await Deno.mkdir(join(folder, "more"));
    await assertRejects(() => readKit(folder), LetheError, "more is not named in kit.json");
  }));

Deno.test("readKit refuses a kit.json that names other files, or leads out of the kit", () =>
  onKit(smallKit(HASHES, false), async (folder) => {
    const withFiles = async (
      files: (files: KitManifest["files"]) => unknown[],
      message: string,
    ) => {
      const before = await Deno.readFile(join(folder, "kit.json"));
      await changeManifest(folder, (manifest) => ({ ...manifest, files: files(manifest.files) }));
      await assertRejects(() => readKit(folder), LetheError, message);
      await Deno.writeFile(join(folder, "kit.json"), before);
    };
    await withFiles((files) => files.slice(1), "kit.json names the files config.json, meta_loss");
    await withFiles((files) => [...files, files[0]], "files names model.safetensors twice");
    await withFiles((files) => [...files, { ...files[0], file: "b.json" }], "b.json; with global ");
    for (const file of ["../kit/config.json", "/etc/passwd", "a\\b.json", "CON", ".json", 3]) {
      await withFiles((files) => [{ ...files[0], file }, ...files], "files[0]: file is ");
    }
  }));

/** Changes to a valid kit.json, and what the one-line error says of each. */
const WRONG: [string, Record<string, unknown>, string][] = [
  [
    "a newer version",
    { version: 3 },
    "kit.json is of version 3; this Lethe reads kits of versions 1 to 2",
  ],
  ["a generation without a parent", { generation: 3 }, "generation is 3 and parent is null; "],
  ["a parent without a generation", { parent: "a".repeat(64) }, "generation is 0 and parent is "],
  ["a parent that is no hash", { parent: "kit" }, 'parent is "kit"; it is null or 64 lower-case'],
  ["people by name", { identities: ["Ada"] }, 'identities is ["Ada"]; '],
  ["a person twice", { identities: [HASHES[0], HASHES[0]] }, "identities is "],
  [
    "a forgotten person among the known",
    { forgotten: [HASHES[1]] },
    "is in identities and forgotten",
  ],
  ["fewer people than rows", { identities: HASHES.slice(1) }, "tensor embed.weight is F32"],
  [
    "an unknown field of its record",
    { record: { photos: "none" } },
    'record: "photos" is unknown; ',
  ],
  ["a text in its record", { record: { seed: "none" } }, 'record.seed is "none"; '],
  [
    "a range that ends before it begins",
    { stepRanges: { metaunlearn: { requests: 1, heldOut: true, low: 2, high: 1 } } },
    "low comes first",
  ],
  ["no settings", { unlearning: undefined }, "unlearning is missing; it is an object"],
  ["a width of 0", { metaLoss: { hidden: 0, embeddingSize: 2 } }, "metaLoss: hidden is 0; "],
];
for (const [what, changes, message] of WRONG) {
  Deno.test(`readKit refuses a kit.json with ${what}`, () =>
    onKit(smallKit(HASHES, false), async (folder) => {
      await changeManifest(folder, (manifest) => ({ ...manifest, ...changes }));
      await assertRejects(() => readKit(folder), LetheError, message);
    }));
}

Deno.test("readKit refuses what carries anything beyond a kit: spaces, fields, words, another id", () =>
  onKit(smallKit(HASHES, true), async (folder) => {
    const path = join(folder, "kit.json");
    const text = await Deno.readTextFile(path);
    const carriers: [string, string, string][] = [
      ["a space more", text.replace("{\n", "{ \n"), "does not write them"],
      ["a line more", text + "\n", "does not write them"],
      ["one line", JSON.stringify(JSON.parse(text)), "does not write them"],
      ["a number in other words", text.replace('"seed": 7', '"seed": 7.0'), "does not write them"],
      [
        "fields in another order",
        text.replace(/("generation": 0,)\n {2}("parent": null,)/, "$2\n  $1"),
        "does not write them",
      ],
      ["an unknown field", text.replace("{\n", '{\n  "photos": "",\n'), '"photos" is unknown'],
      [
        "another word for its origin",
        text.replace("settings and", "settings, photos and"),
        "derivedFrom",
      ],
      ["another id", text.replace(/"id": "./, '"id": "x'), "id is "],
    ];
    for (const [what, carrier, message] of carriers) {
      assert(carrier !== text, what);
      await Deno.writeTextFile(path, carrier);
      await assertRejects(() => readKit(folder), LetheError, message, what);
    }
    await Deno.writeTextFile(path, text);
    await readKit(folder); // the control
  }));

/** Rewrites a file of weights with another header, and all hashes and the id made to fit. */
async function reheaded(folder: string, file: string, change: (header: string) => string) {
  const path = join(folder, file);
  const bytes = await Deno.readFile(path);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = new TextEncoder().encode(
    change(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
  );
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);
  const changed = new Uint8Array([...head, ...bytes.subarray(8 + length)]);
  await Deno.writeFile(path, changed);
  await changeManifest(folder, (manifest) => ({
    ...manifest,
    files: manifest.files.map((entry) =>
      entry.file === file ? { ...entry, sha256: sha256Hex(changed) } : entry
    ),
  }));
}

for (const file of ["model", "meta_loss", "step_sizes"].map((name) => `${name}.safetensors`)) {
  Deno.test(`readKit refuses a ${file} that carries anything beside its tensors`, () =>
    onKit(smallKit(HASHES, true), async (folder) => {
      const original = await Deno.readFile(join(folder, file));
      const manifest = await Deno.readTextFile(join(folder, "kit.json"));
      const carriers: [(header: string) => string, string][] = [
        [
          (header) =>
            header.replace(/^\{("__metadata__":\{[^}]*\},)?/, '{"__metadata__":{"photos":"x"},'),
          "photos",
        ],
        [(header) => header.trimEnd() + " ".repeat(64), "a header that Lethe would not write"],
        [(header) => header.replace('"F32"', '"F32" '), "a header that Lethe would not write"],
      ];
      await reheaded(folder, file, (header) => header);
      await readKit(folder); // the control
      for (const [change, message] of carriers) {
        await reheaded(folder, file, change);
        await assertRejects(() => readKit(folder), LetheError, message);
        await Deno.writeFile(join(folder, file), original);
        await Deno.writeTextFile(join(folder, "kit.json"), manifest);
      }
    }));
}

/** Changes to the settings that `unlearn` obeys. */
const WRONG_UNLEARNING: [string, Record<string, unknown>, string][] = [
  ["a learning rate of 0", { metaLearningRate: 0 }, "unlearning: metaLearningRate is 0; "],
  ["a request of nobody", { requestSize: 0 }, "unlearning: requestSize is 0; "],
  ["an unknown input", { inputs: ["pixels"] }, 'unlearning: inputs is ["pixels"]; '],
  ["no input", { inputs: [] }, "unlearning: inputs is []; "],
  ["inputs that theta has no part in", { inputs: ["targets"] }, 'inputs is ["targets"]; without'],
  ["fewer inputs than phi takes", { inputs: ["logits"] }, "tensor input_block.0.weight is F32"],
  ["step sizes it does not hold", { stepSizes: "learned" }, "with learned step sizes they are "],
];
for (const [what, changes, message] of WRONG_UNLEARNING) {
  Deno.test(`readKit refuses settings with ${what}`, () =>
    onKit(smallKit(HASHES, false), async (folder) => {
      await changeManifest(folder, (manifest) => ({
        ...manifest,
        unlearning: { ...manifest.unlearning, ...changes },
      }));
      await assertRejects(() => readKit(folder), LetheError, message);
    }));
}
