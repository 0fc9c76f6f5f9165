import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../../lib/error.ts";
import { newIdentityKey } from "../../../lib/model/kit/identity_key.ts";
import { openRow, rowKey, sealRow } from "../../../lib/model/kit/sealed_row.ts";

const KEY = "07".repeat(32);
const CONTENT = Uint8Array.from({ length: 300 }, (_, i) => i % 251);

Deno.test("sealRow gives the same bytes every time, and openRow gives the content back", () => {
  const sealed = sealRow(KEY, CONTENT);
  assertEquals(sealRow(KEY, CONTENT), sealed);
  assertEquals(openRow(rowKey(KEY, sealed.salt), sealed.bytes, "row"), CONTENT);
});

Deno.test("sealRow shows neither its content nor that two contents share a beginning", () => {
  const other = Uint8Array.from(CONTENT);
  other[299] ^= 1;
  const [a, b] = [sealRow(KEY, CONTENT), sealRow(KEY, other)];
  assertNotEquals(a.salt, b.salt);
  const same = a.bytes.filter((byte, i) => byte === b.bytes[i]).length;
  // 316 bytes of chance agree in about one; 20 is beyond all chance.
  assertEquals(same < 20, true);
  assertNotEquals(a.bytes.slice(0, 300), CONTENT);
});

Deno.test("openRow refuses a flipped bit anywhere, another row's key, another kit's key and a cut row", () => {
  const { bytes, salt } = sealRow(KEY, CONTENT);
  const key = rowKey(KEY, salt);
  for (let i = 0; i < bytes.length; i += 7) {
    const flipped = Uint8Array.from(bytes);
    flipped[i] ^= 1 << i % 8;
    assertThrows(() => openRow(key, flipped, "row"), LetheError, "cannot be opened");
  }
  const other = sealRow(KEY, CONTENT.slice(1));
  for (const wrong of [rowKey(KEY, other.salt), rowKey(newIdentityKey(), salt), KEY]) {
    assertThrows(() => openRow(wrong, bytes, "row"), LetheError, "cannot be opened");
  }
  for (const length of [0, 15, 16, bytes.length - 1]) {
    assertThrows(() => openRow(key, bytes.slice(0, length), "row"), LetheError, "cannot be opened");
  }
});
