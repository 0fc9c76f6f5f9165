import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { repeatedRows } from "../../../lib/data/duplicates.ts";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import { examineImages, refuseBroken } from "../../../lib/data/loader/examine_images.ts";
import { hashImages } from "../../../lib/data/loader/image_store.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

const png = encodePng({ width: 9, height: 8, rgb: new Uint8Array(9 * 8 * 3).fill(7) });

Deno.test("examineImages hashes every image and finds those that do not decode, all of them", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "a.png": png,
      "b.png": png.subarray(0, -20),
      "c.jpg": "",
      "d.jpg": "text",
    });
    const names = ["a.png", "b.png", "c.jpg", "d.jpg"];
    const examined = await examineImages(folder, names, { decode: true });
    const hashes = await hashImages(folder, names);
    const expected = names.map((name) => hashes[name]).join("");
    assertEquals(examined.hashes.toHex(), expected);
    assertEquals(examined.broken, [
      "b.png is a truncated or damaged PNG",
      "c.jpg is empty",
      "d.jpg is not an image",
    ]);
    assertThrows(() => refuseBroken(folder, examined), LetheError, "3 of 4 images of");
    const unchecked = await examineImages(folder, names, { decode: false });
    assertEquals([unchecked.hashes, unchecked.broken], [examined.hashes, []]);
    refuseBroken(folder, unchecked);
  }));

Deno.test("refuseBroken says how to learn of all where it does not name all", () => {
  const hashes = new Uint8Array(32 * 9);
  const broken = Array.from({ length: 6 }, (_, i) => `${i}.png is empty`);
  const refuses = (some: string[], end: RegExp) => {
    const { message } = assertThrows(
      () => refuseBroken("my data", { hashes, broken: some }),
      LetheError,
    );
    assertMatch(message, end);
  };
  refuses(broken.slice(0, 5), /4\.png is empty; .*--no-check$/);
  refuses(broken, /4\.png is empty; \.\.; .*--no-check; inspect 'my data' --json names all$/);
});

Deno.test("examineImages finds the same by many threads as by one", () =>
  inTemporaryFolder(async (folder) => {
    const names = Array.from({ length: 300 }, (_, i) => `${i}.png`);
    await writeFiles(
      folder,
      Object.fromEntries(names.map((name, i) => [name, i === 200 ? "text" : png])),
    );
    const { hashes, broken } = await examineImages(folder, names, { decode: true });
    const one = await examineImages(folder, names, { decode: false });
    assertEquals(hashes, one.hashes);
    assertEquals(repeatedRows(hashes), [names.keys().filter((i) => i !== 200).toArray()]);
    assertEquals(broken, ["200.png is not an image"]);
  }));
