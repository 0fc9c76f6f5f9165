import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import { hashImages, loadImages } from "../../../lib/data/loader/image_store.ts";
import { resizeBilinear } from "../../../lib/data/images/resize.ts";
import { LetheError } from "../../../lib/error.ts";
import { Random } from "../../../lib/random.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

function randomImage(name: string, width: number, height: number) {
  const random = new Random(0, name);
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: 3 * width * height }, () => random.integer(256)),
  };
}

Deno.test("loadImages puts resized images side by side, in the order asked for", () =>
  inTemporaryFolder(async (folder) => {
    const [a, b] = [randomImage("a", 20, 14), randomImage("b", 12, 12)];
    await writeFiles(folder, { "x/a.png": encodePng(a), "x/b.png": encodePng(b) });
    const progress: number[][] = [];
    const store = await loadImages(folder, ["x/b.png", "x/a.png"], { side: 12, version: 2 }, {
      onProgress: (...counts) => progress.push(counts),
    });
    assertEquals(store.side, 12);
    assertEquals(progress, [[1, 2], [2, 2]]);
    assertEquals(store.pixels(0), b.rgb);
    assertEquals(store.pixels(1), resizeBilinear(a, 12));
    assertEquals([store.indexOf("x/b.png"), store.indexOf("x/a.png")], [0, 1]);
    assertThrows(() => store.indexOf("x/c.png"), RangeError, "x/c.png");
  }));

Deno.test("loadImages refuses an image that is gone, broken, or not the one that was hashed", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "a.png": encodePng(randomImage("a", 8, 8)), "b.png": "text" });
    const hashes = await hashImages(folder, ["a.png", "b.png"]);
    await loadImages(folder, ["a.png"], { side: 8, version: 2 }, { hashes });
    const refuses = (file: string, message: string) =>
      assertRejects(
        () => loadImages(folder, [file], { side: 8, version: 2 }, { hashes }),
        LetheError,
        message,
      );
    await refuses("b.png", "b.png is not an image");
    await refuses("c.png", "c.png does not exist");
    await writeFiles(folder, { "a.png": encodePng(randomImage("other", 8, 8)) });
    await refuses("a.png", "a.png has changed; results hold for the images that were split");
    const { "a.png": _, ...without } = hashes;
    await assertRejects(
      () => loadImages(folder, ["a.png"], { side: 8, version: 2 }, { hashes: without }),
      LetheError,
      "a.png has no hash in the split",
    );
  }));

Deno.test("loadImages says so when the images do not fit into memory", async () => {
  const files = Array.from({ length: 1000 }, (_, i) => `${i}.png`);
  await assertRejects(
    () => loadImages(".", files, { side: 2 ** 22, version: 2 }),
    LetheError,
    " TiB; ",
  );
});
