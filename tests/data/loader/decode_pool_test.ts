import { assertEquals, assertRejects } from "@std/assert";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { openDecodePool } from "../../../lib/data/loader/decode_pool.ts";
import { resizeBilinear } from "../../../lib/data/images/resize.ts";
import { LetheError } from "../../../lib/error.ts";

const image = (name: string) => Deno.readFile(new URL(`../images/${name}`, import.meta.url));

Deno.test("openDecodePool gives what decoding here gives, whatever the order of the answers", async () => {
  using pool = openDecodePool(2);
  const names = ["rgb.jpg", "alpha_16_bit.png", "grey.jpg", "interlaced_palette.png", "rgb.jpg"];
  const found = await Promise.all(
    names.map(async (name, i) => pool.decode(await image(name), name, 8 + i)),
  );
  for (const [i, name] of names.entries()) {
    assertEquals(found[i], resizeBilinear(decodeImage(await image(name), name), 8 + i), name);
  }
});

Deno.test("openDecodePool passes on what is wrong with an image, and goes on with the others", async () => {
  using pool = openDecodePool(1);
  const good = pool.decode(await image("rgb.jpg"), "rgb.jpg", 8);
  const bad = pool.decode(new TextEncoder().encode("no image at all"), "folder/bad.jpg", 8);
  await assertRejects(() => bad, LetheError, "folder/bad.jpg");
  assertEquals((await good).length, 8 * 8 * 3);
  assertEquals((await pool.decode(await image("rgb.jpg"), "rgb.jpg", 4)).length, 4 * 4 * 3);
});
