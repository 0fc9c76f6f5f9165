import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { LetheError, UsageError } from "../../../lib/error.ts";
import type { Kit } from "../../../lib/model/kit/kit.ts";
import { readKit } from "../../../lib/model/kit/read_kit.ts";
import { writeKit } from "../../../lib/model/kit/write_kit.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { smallKit } from "../small_kit.ts";
import { HASHES, onKit, PEOPLE } from "./kit_on_disk.ts";

for (const learned of [false, true]) {
  const sizes = learned ? "learned" : "global";
  Deno.test(`readKit gives back what writeKit wrote, with ${sizes} step sizes`, async () => {
    await inTemporaryFolder(async (folder) => {
      const kit = smallKit(HASHES, learned);
      const id = await writeKit(join(folder, "kit"), kit);
      const { files, version, ...manifest } = (await readKit(join(folder, "kit"))).manifest;
      const read = await readKit(join(folder, "kit"));
      assertEquals(manifest, kit.manifest);
      assertEquals(version, 2);
      const sorted = (map?: ReadonlyMap<string, unknown>) => map && new Map([...map].sort());
      assertEquals(sorted(read.phi), sorted(kit.phi));
      assertEquals(sorted(read.model.theta), sorted(kit.model.theta));
      assertEquals(sorted(read.logStepSizes), sorted(kit.logStepSizes));
      assertEquals(read.model.config, kit.model.config);
      assertEquals(read.id, id);
      assertEquals(read.sha256, sha256Hex(await Deno.readFile(join(folder, "kit", "kit.json"))));
      assertEquals(files.length, learned ? 4 : 3);
      assert(files.every(({ derivedFrom }) => derivedFrom.length > 0));
    });
  });
}

Deno.test("readKit gives back the keyed hashes of training images, none for a kit without", () =>
  inTemporaryFolder(async (folder) => {
    const trainingImages = ["a", "b"].map((digit) => digit.repeat(64));
    await writeKit(join(folder, "with"), { ...smallKit(HASHES, false), trainingImages });
    await writeKit(join(folder, "without"), smallKit(HASHES, false));
    const { trainingImages: found, manifest } = await readKit(join(folder, "with"));
    assertEquals([...found!], trainingImages);
    assertEquals(manifest.files.map(({ file }) => file).at(-1), "training_images.txt");
    assertEquals((await readKit(join(folder, "without"))).trainingImages, undefined);
  }));

Deno.test("writeKit gives equal bytes for equal kits and names nobody", async () => {
  await inTemporaryFolder(async (folder) => {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    assertEquals(
      await writeKit(a, smallKit(HASHES, true)),
      await writeKit(b, smallKit(HASHES, true)),
    );
    const text = await Deno.readTextFile(join(a, "kit.json"));
    for (const person of PEOPLE) assert(!text.includes(person));
  });
});

Deno.test("writeKit leaves nothing behind when the parts do not fit together", async () => {
  const kit = smallKit(HASHES, true);
  const { manifest } = kit;
  const wrong: [Kit, string][] = [
    [
      { ...kit, manifest: { ...manifest, identities: HASHES.slice(1) } },
      "tensor embed.weight is F32 of shape [3,2]; the model's settings call for floats of shape [2,2]",
    ],
    [{ ...kit, logStepSizes: undefined }, "with learned step sizes they are "],
    [{ ...kit, manifest: { ...manifest, generation: 1 } }, "generation is 1 and parent is null; "],
    [{ ...kit, manifest: { ...manifest, forgotten: HASHES.slice(0, 1) } }, "is in identities and "],
  ];
  await inTemporaryFolder(async (folder) => {
    for (const [broken, message] of wrong) {
      await assertRejects(() => writeKit(join(folder, "kit"), broken), LetheError, message);
    }
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("readKit tells a missing kit from a broken one", async () => {
  await inTemporaryFolder(async (folder) => {
    const error = await assertRejects(() => readKit(join(folder, "kit")), UsageError, "no kit");
    assertEquals(error.exitCode, 2);
    await assertRejects(() => readKit(folder), LetheError, "kit.json does not exist");
  });
});

const FILES = [
  "model.safetensors",
  "config.json",
  "meta_loss.safetensors",
  "step_sizes.safetensors",
];
for (const file of FILES) {
  Deno.test(`readKit refuses a kit whose ${file} changed, is gone or is a link`, () =>
    onKit(smallKit(HASHES, true), async (folder) => {
      const path = join(folder, file);
      const bytes = await Deno.readFile(path);
      const last = bytes.length - 1;
      bytes[last] ^= 1;
      await Deno.writeFile(path, bytes);
      const error = await assertRejects(() => readKit(folder), LetheError, `${file} has SHA-256 `);
      assert(error.message.includes(sha256Hex(bytes)));
      bytes[last] ^= 1;
      await Deno.rename(path, `${folder}.elsewhere`);
      await assertRejects(() => readKit(folder), LetheError, `${file} does not exist`);
      await Deno.symlink(`${folder}.elsewhere`, path);
      await assertRejects(() => readKit(folder), LetheError, `${file} is a symbolic link`);
      await Deno.remove(path);
      await Deno.writeFile(path, bytes);
      await readKit(folder);
    }));
}

Deno.test("readKit reads a kit whose people are all forgotten", () => {
  const kit = smallKit([], false);
  const manifest = {
    ...kit.manifest,
    generation: 2,
    parent: "b".repeat(64),
    forgotten: [...HASHES].sort(),
  };
  return onKit({ ...kit, manifest }, async (folder) => {
    const read = await readKit(folder);
    assertEquals(read.phi.get("embed.weight")!.shape, [0, 2]);
    const derived = read.manifest.files.map(({ derivedFrom }) => derivedFrom).join();
    assert(derived.includes("2 unlearning requests"));
  });
});
