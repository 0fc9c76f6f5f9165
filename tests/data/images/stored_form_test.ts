import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { resizeBilinear } from "../../../lib/data/images/resize.ts";
import { decodeToForm } from "../../../lib/data/images/stored_form.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";

const read = (name: string) => Deno.readFile(new URL(`./${name}`, import.meta.url));

Deno.test("decodeToForm of version 1 gives the pixels that commit 4832d1b gave", async () => {
  // sha256Hex(resizeBilinear(decodeImage(bytes, name), 16)), computed there.
  const then = {
    "baseline.jpg": "6179bf3ef1735255d320ef7a3bb9f2e5e9fb3f3e7da82275d73b317071f2114e",
    "progressive.jpg": "8031e4033e90ce4241f9974e0b88fe63d03c926460efac68104f0f18bd65d234",
    "ycck.jpg": "b65c012307b2411ba8fcc1ef36e5c6fca259ead53fd7ec7174df01b2fd011873",
    "grey.jpg": "ef22331ac903305c129a481fa92725b6fb559bd0c8e458b7db3aa792d6833279",
  };
  for (const [name, hash] of Object.entries(then)) {
    const pixels = decodeToForm(await read(name), name, { side: 16, version: 1 });
    assertEquals(sha256Hex(pixels), hash, name);
  }
});

Deno.test("decodeToForm of version 2 resizes what was decoded no larger than it needs", async () => {
  const bytes = await read("baseline.jpg"); // 32 x 24
  const half = decodeImage(bytes, "a.jpg", { least: 10 });
  assertEquals([half.width, half.height], [16, 12]);
  const pixels = decodeToForm(bytes, "a.jpg", { side: 10, version: 2 });
  assertEquals(pixels, resizeBilinear(half, 10));
  const whole = decodeToForm(bytes, "a.jpg", { side: 10, version: 1 });
  assertNotEquals(pixels, whole);
  assert(pixels.length === 300 && whole.length === 300);
});
