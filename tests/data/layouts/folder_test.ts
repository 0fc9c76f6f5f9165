import { listed, listedSamples } from "../listed_samples.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { readFolder } from "../../../lib/data/layouts/folder.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

const IMAGES = { "dogs/rex 1.png": "x", "dogs/rex 2.png": "x", "tom.jpeg": "x", "notes.txt": "x" };

async function refuses(folder: string, csv: string, message: string): Promise<void> {
  await writeFiles(folder, { ...IMAGES, "labels.csv": csv });
  await assertRejects(() => readFolder(folder), LetheError, message);
}

Deno.test("readFolder reads label columns of any name in any order", () =>
  inTemporaryFolder(async (folder) => {
    const csv = 'wet,file,identity,"has, tail"\n1,dogs/rex 1.png,rex,0\n' +
      "0,tom.jpeg,tom,1\n-1,dogs/rex 2.png,rex,1\n1,gone.png,tom,0\n";
    await writeFiles(folder, { ...IMAGES, "labels.csv": csv });
    assertEquals(listed(await readFolder(folder)), {
      task: "multi-label",
      labels: ["wet", "has, tail"],
      samples: [
        { file: "dogs/rex 1.png", identity: "rex", targets: [1, 0] },
        { file: "dogs/rex 2.png", identity: "rex", targets: [0, 1] },
        { file: "tom.jpeg", identity: "tom", targets: [0, 1] },
      ],
      absent: 1,
      unread: [],
    });
  }));

Deno.test("readFolder reads CSV files as spreadsheets and scripts leave them", () =>
  inTemporaryFolder(async (folder) => {
    // Byte order mark, CRLF, spaces around fields, quotes, an empty line, rows unsorted, an image
    // absent, no last line end.
    const csv = "\ufefffile , identity, wet\r\ntom.jpeg,tom , 0\r\n\r\n" +
      '"dogs/rex 2.png" , "rex",1\r\ngone.png,rex,1\r\n dogs/rex 1.png,rex,-1';
    await writeFiles(folder, { ...IMAGES, "labels.csv": csv });
    assertEquals(listed(await readFolder(folder)), {
      task: "multi-label",
      labels: ["wet"],
      samples: [
        { file: "dogs/rex 1.png", identity: "rex", targets: [0] },
        { file: "dogs/rex 2.png", identity: "rex", targets: [1] },
        { file: "tom.jpeg", identity: "tom", targets: [0] },
      ],
      absent: 1,
      unread: [],
    });
  }));

Deno.test("readFolder takes a single column named class for a task of classes", () =>
  inTemporaryFolder(async (folder) => {
    const csv = "file,identity,class\ndogs/rex 1.png,rex,dog\ndogs/rex 2.png,rex,dog\n" +
      "tom.jpeg,tom,cat\n";
    await writeFiles(folder, { ...IMAGES, "labels.csv": csv });
    const { task, labels, samples } = await readFolder(folder);
    assertEquals([task, labels], ["classes", ["cat", "dog"]]);
    assertEquals(samples.map(({ targets }) => targets), [[1], [1], [0]]);
  }));

Deno.test("readFolder names what is broken and where", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, IMAGES);
    await assertRejects(() => readFolder(folder), LetheError, "holds no CSV file");
    const good = "file,identity,wet\ndogs/rex 1.png,rex,1\ndogs/rex 2.png,rex,1\ntom.jpeg,tom,0\n";
    await refuses(folder, good.replace("file,", "name,"), 'the columns "name", "identity", "wet"');
    await refuses(folder, good.replaceAll(/,[^,]*$/gm, ""), 'the columns "file", "identity"');
    await refuses(folder, good.replace("tom,0", "tom,yes"), 'line 4 gives wet the value "yes"');
    await refuses(folder, good.replace("tom,0", ",0"), "line 4 has no identity");
    await refuses(folder, good.replace("tom,0", "tom,0,0"), "line 4 has 4 fields");
    await refuses(folder, good.replace("tom.jpeg", "/tom.jpeg"), 'line 4 names "/tom.jpeg"');
    await refuses(folder, good.replace("2.png", "1.png"), "line 3 names dogs/rex 1.png again");
    await refuses(folder, good.replace("tom.jpeg,tom,0\n", ""), "tom.jpeg has no row in");
    const [header] = good.split("\n");
    await refuses(folder, header, "dogs/rex 1.png and 2 more images have no row in");
    await refuses(
      folder,
      good.replaceAll(",1", ",dog,1").replace(",0", ",cat,0").replace("wet", "class,wet"),
      'line 2 gives class the value "dog"; labels are 1 (yes) or 0 (no): correct it, or leave out ' +
        "wet: a column class holds names where it is the only one",
    );
    await writeFiles(folder, { "labels.csv": good, "more.csv": good });
    await assertRejects(() => readFolder(folder), LetheError, "holds labels.csv and more.csv");
  }));

Deno.test("readFolder reads semicolons and tabs, and passes over what macOS leaves", () =>
  inTemporaryFolder(async (folder) => {
    const rows = [
      ["file", "identity", "wet"],
      ["dogs/rex 1.png", "rex", "1"],
      ["dogs/rex 2.png", "rex", "0"],
      ["tom.jpeg", "tom", "1"],
    ];
    await writeFiles(folder, {
      ...IMAGES,
      "._labels.csv": "\0\x05",
      ".DS_Store": "\0",
      "dogs/._rex 1.png": "\0\x05",
      "__MACOSX/dogs/._rex 1.png": "\0\x05",
      "__MACOSX/dogs/rex 1.png": "\0\x05",
    });
    for (const separator of [";", "\t", ","]) {
      const text = rows.map((row) => row.join(separator)).join("\n");
      await Deno.writeTextFile(`${folder}/labels.csv`, text);
      const { samples, labels } = await readFolder(folder);
      assertEquals(labels, ["wet"]);
      assertEquals(samples.map(({ targets }) => targets[0]), [1, 0, 1]);
    }
  }));

Deno.test("readFolder matches names that are composed in one place and taken apart in the other", () =>
  inTemporaryFolder(async (folder) => {
    const [composed, apart] = ["Ren\u00e9e", "Rene\u0301e"];
    for (const [onDisk, inCsv] of [[composed, apart], [apart, composed]]) {
      const root = `${folder}/${onDisk.length}`;
      await writeFiles(root, {
        [`${onDisk}/0.png`]: "x",
        "labels.csv": `file,identity,wet\n${inCsv}/0.png,p,1\n`,
      });
      const { samples } = await readFolder(root);
      assertEquals(listedSamples(samples), [{
        file: `${onDisk}/0.png`,
        identity: "p",
        targets: [1],
      }]);
    }
    const twice = `file,identity,wet\n${composed}/0.png,p,1\n${apart}/0.png,p,1\n`;
    await writeFiles(`${folder}/twice`, { [`${apart}/0.png`]: "x", "labels.csv": twice });
    await assertRejects(() => readFolder(`${folder}/twice`), LetheError, "again");
  }));

Deno.test("readFolder refuses identities that differ only in what cannot be seen, and names both", () =>
  inTemporaryFolder(async (folder) => {
    const csv = (first: string, second: string) =>
      `file,identity,wet\ndogs/rex 1.png,"${first}",1\ndogs/rex 2.png,"${second}",1\n` +
      "tom.jpeg,tom,1\n";
    for (
      const [first, second, says] of [
        ["rex", "rex ", 'line 3 has the identity "rex ", and'],
        ["\trex", "rex", 'line 2 "\\trex"'],
        ["rex\u00a0", "rex", '"rex\\u00a0"'],
        ["rex\u200b", "rex", '"rex\\u200b"'],
        ["Ren\u00e9e", "Rene\u0301e", '"Rene\\u0301e"'],
      ]
    ) await refuses(folder, csv(first, second), says);
    await writeFiles(folder, { "labels.csv": csv("rex", "Rex") });
    assertEquals((await readFolder(folder)).samples.length, 3);
  }));

Deno.test("readFolder names the format of images that it does not read", () =>
  inTemporaryFolder(async (folder) => {
    const csv = "file,identity,wet\ndogs/rex 1.png,rex,1\ndogs/rex 2.png,rex,1\n" +
      "tom.jpeg,tom,1\nann.HEIC,ann,1\nbob.heic,bob,0\ncy.tif,cy,1\n";
    await writeFiles(folder, { ...IMAGES, "ann.HEIC": "x", "bob.heic": "x", "labels.csv": csv });
    const { absent, unread } = await readFolder(folder);
    assertEquals(absent, 3);
    assertEquals(unread.map(({ format, rows }) => [format, rows]), [["a HEIC image", 2]]);
    assertEquals(unread[0].remedy.startsWith("heif-convert ann.HEIC ann.jpg"), true);
    const only = `${folder}/only`;
    await writeFiles(only, {
      "ann.heic": "x",
      "labels.csv": "file,identity,wet\nann.heic,ann,1\n",
    });
    await assertRejects(() => readFolder(only), LetheError, "ann.heic is a HEIC image");
  }));

Deno.test("readFolder reads WebP, with or without a row", () =>
  inTemporaryFolder(async (folder) => {
    const csv = "file,identity,wet\ndogs/rex 1.png,rex,1\ndogs/rex 2.png,rex,1\n" +
      "tom.jpeg,tom,1\nann.webp,ann,1\n";
    await writeFiles(folder, { ...IMAGES, "ann.webp": "x", "stray.webp": "x", "labels.csv": csv });
    assertEquals((await readFolder(folder)).samples.at(0)!.file, "ann.webp");
  }));
