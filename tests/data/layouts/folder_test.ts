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
    assertEquals(await readFolder(folder), {
      task: "multi-label",
      labels: ["wet", "has, tail"],
      samples: [
        { file: "dogs/rex 1.png", identity: "rex", targets: [1, 0] },
        { file: "dogs/rex 2.png", identity: "rex", targets: [0, 1] },
        { file: "tom.jpeg", identity: "tom", targets: [0, 1] },
      ],
      absent: 1,
    });
  }));

Deno.test("readFolder reads CSV files as spreadsheets and scripts leave them", () =>
  inTemporaryFolder(async (folder) => {
    // Byte order mark, CRLF, spaces around fields, quotes, an empty line, rows unsorted, an image
    // absent, no last line end.
    const csv = "\ufefffile , identity, wet\r\ntom.jpeg,tom , 0\r\n\r\n" +
      '"dogs/rex 2.png" , "rex",1\r\ngone.png,rex,1\r\n dogs/rex 1.png,rex,-1';
    await writeFiles(folder, { ...IMAGES, "labels.csv": csv });
    assertEquals(await readFolder(folder), {
      task: "multi-label",
      labels: ["wet"],
      samples: [
        { file: "dogs/rex 1.png", identity: "rex", targets: [0] },
        { file: "dogs/rex 2.png", identity: "rex", targets: [1] },
        { file: "tom.jpeg", identity: "tom", targets: [0] },
      ],
      absent: 1,
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
    await writeFiles(folder, { "labels.csv": good, "more.csv": good });
    await assertRejects(() => readFolder(folder), LetheError, "holds labels.csv and more.csv");
  }));
