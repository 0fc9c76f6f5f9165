import { assertEquals, assertRejects } from "@std/assert";
import { openDecodePool } from "../../../lib/data/loader/decode_pool.ts";
import { decodeToForm, type StoredForm } from "../../../lib/data/images/stored_form.ts";
import { LetheError } from "../../../lib/error.ts";

const image = (name: string) => Deno.readFile(new URL(`../images/${name}`, import.meta.url));

const form = (i: number): StoredForm => ({ side: 8 + i, version: i % 2 === 0 ? 2 : 1 });

Deno.test("openDecodePool gives what decoding here gives, whatever the order of the answers", async () => {
  using pool = openDecodePool(2);
  const names = ["rgb.jpg", "alpha_16_bit.png", "grey.jpg", "interlaced_palette.png", "rgb.jpg"];
  const found = await Promise.all(
    names.map(async (name, i) => pool.decode(await image(name), name, form(i))),
  );
  for (const [i, name] of names.entries()) {
    assertEquals(found[i], decodeToForm(await image(name), name, form(i)), name);
  }
});

Deno.test("openDecodePool passes on what is wrong with an image, and goes on with the others", async () => {
  using pool = openDecodePool(1);
  const good = pool.decode(await image("rgb.jpg"), "rgb.jpg", form(0));
  const bad = pool.decode(new TextEncoder().encode("no image at all"), "folder/bad.jpg", form(0));
  await assertRejects(() => bad, LetheError, "folder/bad.jpg");
  assertEquals((await good).length, 8 * 8 * 3);
  assertEquals(
    (await pool.decode(await image("rgb.jpg"), "rgb.jpg", { side: 4, version: 2 })).length,
    4 * 4 * 3,
  );
});
