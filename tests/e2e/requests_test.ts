import { Buffer } from "node:buffer";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseCsv } from "../../lib/files/text/csv.ts";
import { decodeImage } from "../../lib/data/images/decode_image.ts";
import { resizeBilinear } from "../../lib/data/images/resize.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { json, photos, pick, unlearning, WASM } from "./kit_folder.ts";
import { doneHere, runHere } from "./run_here.ts";
import { inCopy, REQUEST_SIZE, tree } from "./small_path.ts";

Deno.test("unlearn exits 1 on a person unknown to the kit", () =>
  inCopy(async (folder) => {
    const [photo] = await photos(folder);
    await pick(folder, [photo], "one");
    await Deno.rename(join(folder, "one", photo), join(folder, "one/stranger.png"));
    const before = await tree(folder);
    const { code, err } = await runHere("unlearn", unlearning("one"), folder);
    assertEquals(code, 1);
    assertMatch(err, /^lethe: one\/stranger\.png asks for a person whom the kit does not know; /);
    assertEquals(await tree(folder), before);
  }));

Deno.test("unlearn takes the model's own predictions where no labels are given, and says so", () =>
  inCopy(async (folder) => {
    const names = await photos(folder);
    await pick(folder, names, "bare");
    const said = await doneHere("unlearn", unlearning("bare"), folder);
    assertStringIncludes(said, "labels from the model's own predictions");
    const bare = await json(folder, "unlearned/summary.json");
    assertEquals(bare.targets, "the model's own predictions");

    // The same predictions, written down as labels, give the same weights.
    const predict = ["--model", "model", "--images", "bare", "--json", "p.json", ...WASM];
    await doneHere("predict", predict, folder);
    const { labels, images } = await json(folder, "p.json");
    const lines = images.map(({ file, logits }: { file: string; logits: number[] }) =>
      [file, file.replace(".png", ""), ...logits.map((logit) => logit > 0 ? 1 : 0)].join()
    );
    const csv = [["file", "identity", ...labels].join(), ...lines].join("\n");
    await pick(folder, names, "labelled");
    await Deno.writeTextFile(join(folder, "labelled/requests.csv"), csv);
    await doneHere(
      "unlearn",
      [...unlearning("labelled", "kit", "told"), "--branch", "--reason", "x"],
      folder,
    );
    const told = await json(folder, "told/summary.json");
    assertEquals(told.targets, "requests.csv");
    assertEquals(told.weights, bare.weights);
  }));

Deno.test("unlearn takes more people than N_S in chunks, in the order of their files' names", () =>
  inCopy(async (folder) => {
    const names = await photos(folder);
    const csv = join(folder, "requests/requests.csv");
    const { columns, rows } = parseCsv(await Deno.readTextFile(csv), csv);
    const table = (rows: readonly { fields: readonly string[] }[]) =>
      [columns, ...rows.map(({ fields }) => fields)].map((row) => row.join()).join("\n");
    // Its rows' order decides nothing.
    await Deno.writeTextFile(csv, table(rows.toReversed()));
    await doneHere("unlearn", unlearning("requests"), folder);
    const { steps, weights } = await json(folder, "unlearned/summary.json");
    assertEquals(steps.map(({ people }: { people: number }) => people), [REQUEST_SIZE, 1]);

    // Chunk after chunk, each with the kit that the last one left.
    const chunks = [names.slice(0, REQUEST_SIZE), names.slice(REQUEST_SIZE)];
    let [kit, flags]: [string, string[]] = ["kit", ["--branch", "--reason", "x"]];
    for (const [i, chunk] of chunks.entries()) {
      await pick(folder, chunk, `chunk${i}`);
      const own = rows.filter(({ fields }) => chunk.includes(fields[0]));
      await Deno.writeTextFile(join(folder, `chunk${i}/requests.csv`), table(own));
      await doneHere("unlearn", [...unlearning(`chunk${i}`, kit, `out${i}`), ...flags], folder);
      [kit, flags] = [`out${i}/kit`, []];
    }
    const last = await json(folder, "out1/summary.json");
    assertEquals(last.weights.after, weights.after);
  }));

Deno.test("unlearn writes no support photograph into its outputs", () =>
  inCopy(async (folder) => {
    const names = await photos(folder);
    await doneHere("unlearn", unlearning("requests"), folder);
    const { imageSize } = await json(folder, "model/config.json");
    const needles: Uint8Array[] = [];
    const files: string[] = [];
    for (const name of names) {
      const bytes = await Deno.readFile(join(folder, "requests", name));
      const image = decodeImage(bytes, name);
      const resized = resizeBilinear(image, imageSize);
      for (const content of [bytes, image.rgb, resized]) needles.push(content);
      for (const pixels of [image.rgb, resized]) {
        needles.push(new TextEncoder().encode(sha256Hex(pixels)));
      }
      files.push(sha256Hex(bytes));
    }
    const outputs = (await tree(join(folder, "unlearned"))).filter((name) => !name.endsWith("/"))
      .map((name) => `unlearned/${name}`);
    for (const file of [...outputs, "kit.successor.json"]) {
      const bytes = Buffer.from(await Deno.readFile(join(folder, file)));
      for (const [i, needle] of needles.entries()) {
        assertEquals(bytes.indexOf(needle), -1, `${file} holds needle ${i}`);
      }
      // The receipt alone lists the photographs, by hash, so that the run can be repeated.
      const listed = files.map((sha256) => bytes.includes(sha256));
      assertEquals(listed, files.map(() => file.startsWith("unlearned/receipt.")));
    }
    const photo = Buffer.from(await Deno.readFile(join(folder, "requests", names[0])));
    assertEquals(photo.indexOf(needles[0]), 0, "the search finds what is there");
  }));

Deno.test("unlearn refuses an --out that exists, and exits 2 without a kit, naming it first", () =>
  inCopy(async (folder) => {
    await Deno.mkdir(join(folder, "unlearned"));
    const before = await tree(folder);
    const taken = await runHere("unlearn", unlearning("requests"), folder);
    assertEquals(taken.code, 1);
    assertMatch(taken.err, /^lethe: unlearned exists; /);
    assertEquals(await tree(folder), before);

    await Deno.remove(join(folder, "kit"), { recursive: true });
    const args = ["--support", "requests", "--out", "new", ...WASM];
    const missing = await runHere("unlearn", args, folder);
    assertEquals([missing.code, missing.out], [2, "kit: kit\n"]);
    assertMatch(missing.err, /^lethe: kit does not exist; --kit [^\n]*meta-learn[^\n]*\n$/);
  }));
