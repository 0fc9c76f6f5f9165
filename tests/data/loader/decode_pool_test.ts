import { assertEquals, assertRejects } from "@std/assert";
import { openDecodePool, shared } from "../../../lib/data/loader/decode_pool.ts";
import { decodeForForm, type StoredForm } from "../../../lib/data/images/stored_form.ts";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { drawCut } from "../../../lib/data/images/random_crop.ts";
import { resizeBilinear } from "../../../lib/data/images/resize.ts";
import { batchPixels } from "../../../lib/data/loader/batch_pixels.ts";
import { LetheError } from "../../../lib/error.ts";
import { Random } from "../../../lib/random.ts";

const image = (name: string) => Deno.readFile(new URL(`../images/${name}`, import.meta.url));

const form = (i: number): StoredForm => ({ side: 8 + i, version: i % 2 === 0 ? 2 : 1 });

Deno.test("openDecodePool gives what decoding here gives, whatever the order of the answers", async () => {
  using pool = openDecodePool(2);
  const names = ["rgb.jpg", "alpha_16_bit.png", "grey.jpg", "interlaced_palette.png", "rgb.jpg"];
  const found = await Promise.all(
    names.map(async (name, i) => pool.decode(await image(name), name, form(i))),
  );
  for (const [i, name] of names.entries()) {
    assertEquals(found[i], decodeForForm(await image(name), name, form(i)), name);
  }
});

Deno.test("openDecodePool passes on what is wrong with an image, and goes on with the others", async () => {
  using pool = openDecodePool(1);
  const good = pool.decode(await image("rgb.jpg"), "rgb.jpg", form(0));
  const bad = pool.decode(new TextEncoder().encode("no image at all"), "folder/bad.jpg", form(0));
  await assertRejects(() => bad, LetheError, "folder/bad.jpg");
  assertEquals((await good).pixels.length, 8 * 8 * 3);
  assertEquals(
    (await pool.decode(await image("rgb.jpg"), "rgb.jpg", { side: 4, version: 2 })).pixels.length,
    4 * 4 * 3,
  );
});

Deno.test("openDecodePool cuts a batch to the bits that cutting it here gives, whoever cuts which part", async () => {
  using pool = openDecodePool(3);
  const random = new Random(0, "cuts");
  const side = 12;
  const images = Array.from(
    { length: 7 },
    () => Uint8Array.from({ length: side * side * 3 }, () => random.integer(256)),
  );
  const crop = { scale: [0.3, 0.9], ratio: [0.75, 1.33] } as const;
  const cuts = images.map(() => drawCut({ crop, flip: true }, side, random));
  for (const count of [1, 2, 3, 7]) {
    const [some, theirs] = [images.slice(0, count), cuts.slice(0, count)];
    const expected = batchPixels(some, side, theirs, 8);
    assertEquals(await pool.cut(some, side, theirs, 8), expected);
    assertEquals(await pool.cut(some.map(shared), side, theirs, 8), expected);
  }
});

Deno.test("openDecodePool resizes to the bits that resizing here gives", async () => {
  using pool = openDecodePool(1);
  const picture = decodeImage(await image("rgb.jpg"), "rgb.jpg");
  const resized = await pool.resize(picture, 40);
  assertEquals([...resized], [...resizeBilinear(picture, 40)]);
});

Deno.test("openDecodePool decodes into the memory of images that were given back, of their size only", async () => {
  using pool = openDecodePool(1);
  const decode = async (side: number) =>
    (await pool.decode(await image("rgb.jpg"), "rgb.jpg", { side, version: 2 })).pixels;
  const first = await decode(8);
  const expected = first.slice();
  first.fill(0);
  pool.release(first);
  assertEquals((await decode(4)).buffer === first.buffer, false);
  const again = await decode(8);
  assertEquals(again.buffer === first.buffer, true);
  assertEquals(again, expected);
  assertEquals((await decode(8)).buffer === first.buffer, false);
});
