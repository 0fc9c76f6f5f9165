import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openScoreColumns } from "../../lib/measure/score_columns.ts";

/** Rows that tell image and label, in batches of 100; the last one is smaller. */
function* batches(labels: number, images: number) {
  for (let first = 0; first < images; first += 100) {
    const size = labels * Math.min(100, images - first);
    const of = (i: number) => ({
      image: first + Math.floor(i / labels),
      label: i % labels,
    });
    yield {
      scores: Float32Array.from({ length: size }, (_, i) => of(i).image + of(i).label / 64),
      targets: Uint8Array.from({ length: size }, (_, i) => (of(i).image + of(i).label) & 1),
    };
  }
}

function checked(labels: number, images: number, inMemory?: number) {
  using columns = openScoreColumns(labels, images, inMemory);
  for (const { scores, targets } of batches(labels, images)) columns.add(scores, targets);
  for (let label = 0; label < labels; label++) {
    const { scores, targets } = columns.column(label);
    assertEquals([scores.length, targets.length], [images, images]);
    const wrong = scores.findIndex((score, image) =>
      score !== image + label / 64 || targets[image] !== ((image + label) & 1)
    );
    assertEquals(wrong, -1);
  }
}

Deno.test("openScoreColumns gives back each label's scores and targets, from memory and from its file", () => {
  checked(3, 250);
  checked(7, 33_000, 0); // more than two blocks of 2^19 bytes, and a part of one
  checked(1, 1, 0);
});

Deno.test("openScoreColumns gives empty columns of no image", () => {
  using columns = openScoreColumns(2, 0);
  assertEquals(columns.column(1).scores.length, 0);
});

Deno.test("openScoreColumns leaves no file behind, has none with a name while it is open, and does without one", async () => {
  const module = import.meta.resolve("../../lib/measure/score_columns.ts");
  const code = `
    import { openScoreColumns } from ${JSON.stringify(module)};
    const columns = openScoreColumns(4, 100000, 0);
    for (let i = 0; i < 1000; i++) columns.add(new Float32Array(400).fill(i), new Uint8Array(400));
    const windows = Deno.build.os === "windows";
    const named = windows ? 0 : [...Deno.readDirSync(Deno.args[0])].length;
    const { scores } = columns.column(3);
    columns[Symbol.dispose]();
    columns[Symbol.dispose]();
    console.log(JSON.stringify([named, scores[99999], scores[0]]));`;
  const run = async (place: string, ...rights: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-read", ...rights],
        ...["--config", fromFileUrl(import.meta.resolve("../../deno.json"))],
        ...[`data:application/typescript,${encodeURIComponent(code)}`, place],
      ],
      env: { TMPDIR: place, TEMP: place, TMP: place },
      signal: AbortSignal.timeout(60_000),
    }).output();
    return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
  };
  const place = await Deno.makeTempDir();
  assertEquals(await run(place, "--allow-write"), "[0,999,0]");
  assertEquals(await run(place), "[0,999,0]"); // no right to write
  assertEquals([...Deno.readDirSync(place)].length, 0);
  await Deno.remove(place, { recursive: true });
});
