import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hashImages, loadImages } from "../../../lib/data/loader/image_store.ts";
import { openPixelCache, staysJpeg } from "../../../lib/data/loader/pixel_cache.ts";
import { resizeBilinear } from "../../../lib/data/images/resize.ts";
import { decodeToForm } from "../../../lib/data/images/stored_form.ts";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import { inTemporaryFolder } from "../temporary_folder.ts";

const SIDE = 8;
const FORM = { side: SIDE, version: 2 } as const;
const image = (seed: number) => ({ width: SIDE, height: SIDE, rgb: pixels(seed) });
const pixels = (seed: number) =>
  Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7 + seed * 31) % 256);

/** The files below a folder. */
function files(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(join(folder, name)) : [join(folder, name)]
  );
}

Deno.test("openPixelCache gives back what it was given, by source and form", () =>
  inTemporaryFolder(async (folder) => {
    const cache = openPixelCache(join(folder, "cache"));
    assertEquals(cache.read("a", FORM), null);
    await cache.write("a", FORM, image(1));
    await cache.write("b", FORM, image(2));
    assertEquals(cache.read("a", FORM), image(1));
    assertEquals(cache.read("b", FORM), image(2));
    assertEquals(cache.read("a", { ...FORM, side: SIDE + 1 }), null);
    assertEquals(cache.read("a", { ...FORM, version: 1 }), null);
    assertEquals(files(folder).length, 2);
  }));

Deno.test("openPixelCache takes no damaged or shortened entry for pixels", () =>
  inTemporaryFolder(async (folder) => {
    const cache = openPixelCache(folder);
    await cache.write("a", FORM, image(1));
    const [path] = files(folder);
    const whole = await Deno.readFile(path);
    for (const at of [0, whole.length - 1]) {
      const bytes = whole.slice();
      bytes[at] ^= 1;
      await Deno.writeFile(path, bytes);
      assertEquals(cache.read("a", FORM), null);
    }
    await Deno.writeFile(path, whole.subarray(0, -1));
    assertEquals(cache.read("a", FORM), null);
    await cache.write("a", FORM, image(1));
    assertEquals(cache.read("a", FORM), image(1));
  }));

Deno.test("loadImages takes from the cache what it put there, heals it, and knows a changed source", () =>
  inTemporaryFolder(async (folder) => {
    const cache = join(folder, "cache");
    const names = ["a.png", "b.png"];
    const write = (name: string, seed: number) =>
      Deno.writeFile(
        join(folder, name),
        encodePng({ width: SIDE, height: SIDE, rgb: pixels(seed) }),
      );
    await write("a.png", 1);
    await write("b.png", 2);
    const hashes = await hashImages(folder, names);
    await loadImages(folder, names, FORM, { hashes, cache });
    assertEquals(files(cache).length, 2);

    // With the sources gone the cache alone can have given them.
    await Deno.rename(join(folder, "a.png"), join(folder, "away.png"));
    const cached = await loadImages(folder, names, FORM, { hashes, cache });
    assertEquals(cached.pixels(cached.indexOf("a.png")), pixels(1));
    await Deno.rename(join(folder, "away.png"), join(folder, "a.png"));

    for (const path of files(cache)) await Deno.truncate(path, 5);
    const healed = await loadImages(folder, names, FORM, { hashes, cache });
    assertEquals(healed.pixels(1), pixels(2));
    assert(files(cache).every((path) => Deno.statSync(path).size === SIDE * SIDE * 3 + 40));

    await write("b.png", 3);
    const changed = await hashImages(folder, names);
    const fresh = await loadImages(folder, names, FORM, { hashes: changed, cache });
    assertEquals(fresh.pixels(1), pixels(3));
  }));

Deno.test("loadImages reads images too many for memory from the cache when they are asked for", () =>
  inTemporaryFolder(async (folder) => {
    const names = ["a.png", "b.png"];
    for (const [i, name] of names.entries()) {
      await Deno.writeFile(
        join(folder, name),
        encodePng({ width: SIDE, height: SIDE, rgb: pixels(i) }),
      );
    }
    const hashes = await hashImages(folder, names);
    const cache = join(folder, "cache");
    const images = await loadImages(folder, names, FORM, { hashes, cache, inMemory: 100 });
    assertEquals(images.pixels(1), pixels(1));
    assertEquals(images.pixels(0), pixels(0));
  }));

Deno.test("loadImages keeps no image larger than its source, and gives the same pixels with a cache", () =>
  inTemporaryFolder(async (folder) => {
    const cache = join(folder, "cache");
    const large = { side: 3 * SIDE, version: 2 } as const;
    await Deno.writeFile(join(folder, "a.png"), encodePng(image(1)));
    const hashes = await hashImages(folder, ["a.png"]);
    const load = async (options = {}) =>
      (await loadImages(folder, ["a.png"], large, { hashes, ...options })).pixels(0);
    const expected = resizeBilinear(image(1), large.side);
    assertEquals(await load(), expected);
    assertEquals(await load({ cache }), expected);
    assertEquals(files(cache).map((path) => Deno.statSync(path).size), [SIDE * SIDE * 3 + 40]);
    await Deno.remove(join(folder, "a.png")); // the cache alone can give it now
    assertEquals(await load({ cache }), expected);
  }));

Deno.test("loadImages leaves a JPEG that is far smaller than its pixels as it is, and others not", () =>
  inTemporaryFolder(async (folder) => {
    const form = { side: 32, version: 2 } as const;
    // 375 and 634 bytes of 32 x 24 pixels, 2304 bytes.
    for (const [name, kept] of [["baseline.jpg", false], ["progressive.jpg", true]] as const) {
      const jpeg = await Deno.readFile(new URL(`../images/${name}`, import.meta.url));
      assertEquals(staysJpeg(jpeg.length, 32 * 24 * 3), !kept);
      await Deno.writeFile(join(folder, name), jpeg);
      const hashes = await hashImages(folder, [name]);
      const cache = join(folder, `${name}-cache`);
      const images = await loadImages(folder, [name], form, { hashes, cache, inMemory: 1 });
      assertEquals(images.pixels(0), decodeToForm(jpeg, name, form));
      assertEquals(await Deno.stat(cache).then(() => true, () => false), kept, name);
    }
  }));
