import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { packFiles } from "../../../lib/data/file_table.ts";
import { batchPixels } from "../../../lib/data/loader/batch_pixels.ts";
import { drawCut } from "../../../lib/data/images/random_crop.ts";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import { hashImages } from "../../../lib/data/loader/image_store.ts";
import { openInput } from "../../../lib/data/loader/input_thread.ts";
import { LetheError } from "../../../lib/error.ts";
import { Random } from "../../../lib/random.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

const SIDE = 8;
const FORM = { side: SIDE, version: 2 } as const;
const NAMES = ["a.png", "b.png", "c.png"];
const rgb = (seed: number) =>
  Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7 + seed * 31) % 256);

async function writeImages(folder: string): Promise<Record<string, string>> {
  for (const [i, name] of NAMES.entries()) {
    const image = encodePng({ width: SIDE, height: SIDE, rgb: rgb(i) });
    await Deno.writeFile(join(folder, name), image);
  }
  return await hashImages(folder, NAMES);
}

Deno.test("openInput cuts the images that were asked for, wherever they come from", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    const random = new Random(0, "cuts");
    const crop = { scale: [0.3, 0.9], ratio: [0.75, 1.33] } as const;
    const cuts = [2, 0].map(() => drawCut({ crop, flip: true }, SIDE, random));
    const expected = batchPixels([rgb(2), rgb(0)], SIDE, cuts, 4);
    // Kept in memory; decoded again each time; from the cache.
    for (const options of [{}, { inMemory: 0 }, { inMemory: 0, cache: join(folder, "cache") }]) {
      using input = openInput(folder, NAMES.length, { hashes, ...options });
      const images = input.images(NAMES, FORM);
      for (let turn = 0; turn < 2; turn++) {
        assertEquals(await images.pixels([2, 0], cuts, 4), expected);
      }
    }
  }));

Deno.test("openInput refuses a changed or missing file when it is asked for, and goes on", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    await Deno.writeFile(join(folder, "b.png"), new Uint8Array(9));
    await Deno.remove(join(folder, "c.png"));
    using input = openInput(folder, NAMES.length, { hashes });
    const images = input.images(NAMES, FORM, true);
    const refuses = (position: number, message: string) =>
      assertRejects(() => images.pixels([position], null, SIDE), LetheError, message);
    await refuses(1, "b.png has changed");
    await refuses(2, "c.png does not exist");
    assertEquals(await images.pixels([0], null, SIDE), Float32Array.from(rgb(0)));
  }));

Deno.test("openInput gives the same images where they were warmed, kept or neither", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    for (const inMemory of [0, SIDE * SIDE * 3, 2 ** 20]) {
      using input = openInput(folder, NAMES.length, { hashes, inMemory });
      const images = input.images(NAMES, FORM);
      images.warm([2, 1, 1]);
      for (const position of [0, 1, 2, 1]) {
        const pixels = await images.pixels([position], null, SIDE);
        assertEquals(pixels, Float32Array.from(rgb(position)), `${position} of ${inMemory}`);
      }
    }
  }));

Deno.test("openInput tells of a damaged image when it is asked for, warmed or not", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    await Deno.writeFile(join(folder, "b.png"), new Uint8Array(9));
    using input = openInput(folder, NAMES.length, { hashes, inMemory: 0 });
    const images = input.images(NAMES, FORM);
    images.warm([1, 0]);
    await images.pixels([0], null, SIDE);
    for (let turn = 0; turn < 2; turn++) {
      await assertRejects(() => images.pixels([1], null, SIDE), LetheError, "b.png has changed");
    }
  }));

Deno.test("openInput tells once that the cache keeps no more, and gives the images all the same", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    // A file in the folder's place takes no image.
    const cache = join(folder, "cache");
    await Deno.writeTextFile(cache, "");
    const notices: string[] = [];
    const onNotice = (line: string) => notices.push(line);
    using input = openInput(folder, NAMES.length, { hashes, inMemory: 0, cache, onNotice });
    const images = input.images(NAMES, FORM);
    for (let turn = 0; turn < 2; turn++) {
      for (const [i] of NAMES.entries()) {
        assertEquals(await images.pixels([i], null, SIDE), Float32Array.from(rgb(i)));
      }
    }
    assertEquals(notices.length, 1);
    assertEquals(notices[0].startsWith(`${cache} keeps no more images (`), true, notices[0]);
  }));

Deno.test("openInput tells whoever asks for images of a list that it could not open", () =>
  inTemporaryFolder(async (folder) => {
    const hashes = await writeImages(folder);
    using input = openInput(folder, NAMES.length, { hashes });
    const identity = { dev: 0, ino: 0, size: 0, changed: 0 };
    const gone = {
      path: join(folder, "split.json.index"),
      begin: 0,
      from: 0,
      sha256: "",
      identity,
    };
    const images = input.images({ table: packFiles(NAMES), hashes: gone }, FORM, true);
    for (const asked of [() => images.pixels([0], null, SIDE), () => images.bytes([0])]) {
      await assertRejects(asked, LetheError, "split.json.index changed while it was in use");
    }
    const others = input.images(NAMES, FORM);
    assertEquals(await others.pixels([0], null, SIDE), Float32Array.from(rgb(0)));
  }));
