import { join } from "@std/path";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import { judgePhotographs, photographNotes } from "../../../lib/data/requests/photograph_notes.ts";
import { Random } from "../../../lib/random.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

/** Noise of a seed, with black rows above and below. */
function picture(seed: string, height: number, border = 0) {
  const random = new Random(0, seed);
  const width = 80;
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const y = Math.floor(i / (3 * width));
    return y < border || y >= height - border ? 0 : random.integer(256);
  });
  return encodePng({ width, height, rgb });
}

Deno.test("photographNotes tells of small photographs, borders and pictures that are nearly the same", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "ann.png": picture("ann", 90),
      "bob.png": picture("bob", 63),
      "cy.png": picture("cy", 120, 20),
      "dan.png": picture("ann", 90),
      "eve.png": "no image",
      "fay.png": picture("fay", 64),
    });
    const of = (files: string[], identity?: string) =>
      files.map((file) => ({ file, identity: identity ?? file }));
    const files = ["ann.png", "bob.png", "cy.png", "dan.png", "eve.png", "fay.png"];
    const notes = await photographNotes(folder, of(files));
    assertEquals(notes.length, 3);
    assertStringIncludes(notes[0], "say little of a person: bob.png (63)");
    assertStringIncludes(notes[1], "better cut off: cy.png");
    assertStringIncludes(notes[2], "by mistake?: ann.png and dan.png");
    assertEquals(await photographNotes(folder, of(["ann.png", "fay.png"])), []);
    // What a run left out is not judged.
    const served = await Deno.readFile(join(folder, "ann.png")).then(sha256Hex);
    assertEquals(await photographNotes(folder, of(["ann.png", "bob.png"]), new Set([served])), []);
    // Two of one person are no mistake, and say so.
    assertEquals(await photographNotes(folder, of(["ann.png", "dan.png", "fay.png"], "ann")), [
      "nearly the same twice of one person, which say hardly more than one: ann.png and dan.png",
    ]);
  }));

Deno.test("photographNotes takes a picture of one colour for no picture with borders", () =>
  inTemporaryFolder(async (folder) => {
    const rgb = new Uint8Array(3 * 80 * 80).fill(255);
    await writeFiles(folder, { "a.png": encodePng({ width: 80, height: 80, rgb }) });
    assertEquals(await photographNotes(folder, [{ file: "a.png", identity: "a" }]), []);
  }));

Deno.test("judgePhotographs holds some hundred against one another, not all of a large folder", () => {
  const pixels = picture("ann", 64).subarray(0, 12288);
  const looked = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      file: `${i}.png`,
      identity: `${i}`,
      height: 64,
      pixels: pixels.map((byte, k) => k % 2 === 0 ? byte : i % 251),
    }));
  assertEquals(judgePhotographs(looked(300)).filter((line) => line.includes("more than")), []);
  const notes = judgePhotographs(looked(1000));
  assertStringIncludes(notes.at(-1)!, "more than 300 (1000): ");
});
