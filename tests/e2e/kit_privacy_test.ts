import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { identityHash } from "../../lib/model/kit/identity_key.ts";
import { trainingImageHash } from "../../lib/model/kit/training_images.ts";
import { embeddingRows, json, pick, WASM } from "./kit_folder.ts";
import { doneHere } from "./run_here.ts";
import { inCopy, META_LEARN, tree } from "./small_path.ts";

const NAMES =
  "Ada Bo Cleo Dag Eve Finn Gus Hana Ivo Jun Kaya Leif Mona Nils Olga Pau Quin Rosa Sven Tove"
    .split(" ").map((name) => `${name} Namesake`);

/** Retells `portraits/` as a folder of named people's pictures, and splits it. */
async function nameEverybody(folder: string): Promise<void> {
  const lines = async (file: string) =>
    (await Deno.readTextFile(join(folder, "portraits", file))).trim().split("\n");
  const [, labels, ...attributes] = await lines("list_attr_celeba.txt");
  const csv = [["file", "identity", ...labels.split(" ")].join()];
  for (const [i, line] of (await lines("identity_CelebA.txt")).entries()) {
    const [file, number] = line.split(" ");
    const name = NAMES[Number(number) - 1];
    const own = `Photos of ${name}/Snapshot ${file}`;
    await Deno.mkdir(join(folder, "album", `Photos of ${name}`), { recursive: true });
    await Deno.copyFile(
      join(folder, "portraits/img_align_celeba", file),
      join(folder, "album", own),
    );
    csv.push([own, name, ...attributes[i].split(/ +/).slice(1)].join());
  }
  await Deno.writeTextFile(join(folder, "album/album.csv"), csv.join("\n") + "\n");
  const split = "--dataset folder --data album --forget 3 --out named.json --requests asked";
  await doneHere("split", split.split(" "), folder);
}

/** All bytes of a kit's files as one text, a character per byte. */
async function contents(kit: string): Promise<string> {
  let text = "";
  for (const file of await tree(kit)) {
    text += file + new TextDecoder("latin1").decode(await Deno.readFile(join(kit, file)));
  }
  return text;
}

Deno.test("a kit holds no name, path or picture, and the next kit none of who was forgotten", () =>
  inCopy(async (folder) => {
    await nameEverybody(folder);
    const args = META_LEARN.join(" ").replace(
      "split.json --data portraits",
      "named.json --data album",
    );
    const rest = "--step-sizes learned --request-size 2 --epochs 1 --out named-kit --device wasm";
    await doneHere("meta-learn", `${args} ${rest}`.split(" "), folder);
    const split = await json(folder, "named.json");
    const kit = join(folder, "named-kit");
    const photo = await Deno.readFile(
      join(folder, "album", Object.keys(split.hashes)[0]),
    );
    const needles = [
      ...NAMES.flatMap((name) => [name, name.split(" ")[0] + " "]),
      ...["Namesake", "Photos", "Snapshot", "album", "named.json", folder, "\x89PNG"],
      ...Object.values<string>(split.hashes),
      new TextDecoder("latin1").decode(photo.subarray(40, 80)),
    ];
    // Shorter ones turn up by chance in megabytes of weights.
    const telling = needles.filter(({ length }) => length > 3);
    const holds = (text: string) => telling.filter((needle) => text.includes(needle));
    assertEquals(holds(await contents(kit)), []);
    assertNotEquals(holds(JSON.stringify(split)), [], "the search finds what is there");

    // Neither does the order of the rows tell whose they are.
    const { identities, files } = await json(kit, "kit.json");
    assertEquals(identities, identities.toSorted());
    assertEquals(files.length, 7);
    for (const { derivedFrom } of files) assert(derivedFrom.length > 0);
    const key = (await Deno.readTextFile(`${kit}.identity-key`)).trim();
    const { retain, forget, val } = split.identities;
    const known = [...retain, ...forget].map((name: string) => identityHash(key, name));
    assertEquals(identities, known.toSorted());
    const images = (await Deno.readTextFile(join(kit, "training_images.txt"))).trim().split("\n");
    const learned = Object.entries<string>(split.hashes).filter(([file]) =>
      [...retain, ...forget, ...val].some((name) => file.includes(name)) &&
      !Object.values(split.support).includes(file)
    );
    assertEquals(
      images,
      [...new Set(learned.map(([, sha256]) => trainingImageHash(key, sha256)))].sort(),
    );

    const [asked] = (await tree(join(folder, "asked"))).filter((name) => name.endsWith(".png"));
    await Deno.rename(join(folder, "requests"), join(folder, "portrait-requests"));
    await Deno.rename(join(folder, "asked"), join(folder, "requests"));
    await pick(folder, [asked], "one");
    const unlearn = ["--support", "one", "--kit", "named-kit", "--out", "after", ...WASM];
    await doneHere("unlearn", unlearn, folder);
    const person = identityHash(key, decodeURIComponent(asked.replace(".png", "")));
    const row = (await embeddingRows(kit)).get(person)!;
    const bytes = new TextDecoder("latin1").decode(new Uint8Array(Float32Array.from(row).buffer));
    assert((await contents(kit)).includes(bytes), "the row is in the kit that learned it");
    const next = await contents(join(folder, "after/kit"));
    assert(!next.includes(bytes), "and in no file of the next");
    assertEquals(holds(next), []);
    assertEquals((await json(folder, "after/kit/kit.json")).forgotten, [person]);
    assertEquals(
      sha256Hex(await Deno.readFile(join(folder, "after/kit/training_images.txt"))),
      sha256Hex(await Deno.readFile(join(kit, "training_images.txt"))),
    );
  }));
