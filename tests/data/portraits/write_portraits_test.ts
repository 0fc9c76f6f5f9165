import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { openDataset } from "../../../lib/data/open_dataset.ts";
import { drawPortrait } from "../../../lib/data/portraits/draw.ts";
import { PORTRAIT_LABELS } from "../../../lib/data/portraits/labels.ts";
import { drawPerson, drawScene } from "../../../lib/data/portraits/traits.ts";
import { writePortraits } from "../../../lib/data/portraits/write_portraits.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { LetheError } from "../../../lib/error.ts";
import { Random } from "../../../lib/random.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

Deno.test("writePortraits makes a data set in CelebA's layout, the same for the same seed", () =>
  inTemporaryFolder(async (folder) => {
    const seen: number[] = [];
    const options = { identities: 3, imagesPerIdentity: 2, seed: 4, side: 32 };
    await writePortraits(join(folder, "a"), { ...options, onProgress: (done) => seen.push(done) });
    assertEquals(seen, [1, 2, 3, 4, 5, 6]);

    const dataset = await openDataset("celeba", join(folder, "a"));
    assertEquals(dataset.labels, PORTRAIT_LABELS);
    assertEquals(dataset.samples.map(({ identity }) => identity), ["1", "1", "2", "2", "3", "3"]);
    const hashes = (root: string) =>
      dataset.samples.map(({ file }) => sha256Hex(Deno.readFileSync(join(folder, root, file))));
    const path = join(dataset.root, dataset.samples.at(0)!.file);
    const { width, height, rgb } = decodeImage(await Deno.readFile(path), path);
    assertEquals([width, height], [32, 32]);

    // The file holds the very pixels that were drawn, so the encoder is sound.
    const person = new Random(4, "portraits").fork("person 1");
    const scene = drawScene(person.fork("picture 1"));
    assertEquals(rgb, drawPortrait(drawPerson(person), scene, 32).rgb);

    await writePortraits(join(folder, "b"), { ...options, identities: 4 });
    assertEquals(hashes("b"), hashes("a"));
    // So many that several threads draw.
    await writePortraits(join(folder, "many"), { ...options, identities: 100, side: 8 });
    await writePortraits(join(folder, "few"), { ...options, side: 8 });
    assertEquals(hashes("many"), hashes("few"));
    await writePortraits(join(folder, "c"), { ...options, seed: 5 });
    assert(hashes("c").every((hash, i) => hash !== hashes("a")[i]));
  }));

Deno.test("writePortraits gives a person's pictures the same lasting labels", () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, "a");
    await writePortraits(out, { identities: 6, imagesPerIdentity: 5, seed: 1, side: 8 });
    const { samples } = await openDataset("celeba", out);
    for (let person = 1; person <= 6; person++) {
      const own = samples.filter(({ identity }) => identity === String(person));
      assertEquals(own.length, 5);
      for (const { targets } of own) assertEquals(targets.slice(4), own.at(0)!.targets.slice(4));
    }
    // Smiling, mouth, glasses and eyes change from picture to picture.
    for (let label = 0; label < 4; label++) {
      assertEquals(new Set(samples.map(({ targets }) => targets[label])).size, 2);
    }
  }));

Deno.test("writePortraits refuses numbers out of range and an existing folder", () =>
  inTemporaryFolder(async (folder) => {
    const good = { identities: 1, imagesPerIdentity: 1, seed: 0, side: 8 };
    const bad = [
      { identities: 0 },
      { imagesPerIdentity: 1.5 },
      { side: 7 },
      { side: 5000 },
      { identities: 500_000, imagesPerIdentity: 2 },
      { seed: 0.5 },
    ];
    for (const change of bad) {
      const out = join(folder, "out");
      await assertRejects(() => writePortraits(out, { ...good, ...change }), LetheError);
      await assertRejects(() => Deno.lstat(out), Deno.errors.NotFound);
    }
    await assertRejects(() => writePortraits(folder, good), LetheError, "exists");
  }));
