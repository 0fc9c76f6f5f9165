import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { encodePng } from "../../../lib/data/images/encode_png.ts";
import {
  type LabelSet,
  listRequests,
  readRequestRows,
  requestPeople,
} from "../../../lib/data/requests/request_rows.ts";
import { readRequests } from "../../../lib/data/requests/requests.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

const image = { width: 8, height: 8, rgb: new Uint8Array(192).fill(90) };
const png = encodePng(image);
const FORM = { side: 16, version: 2 } as const;
const MODEL: LabelSet = { task: "multi-label", labels: ["Smiling", "Hat"] };
const CLASSES: LabelSet = { task: "classes", labels: ["cat", "dog"] };

async function refuses(
  files: Record<string, string | Uint8Array>,
  message: string,
  model = MODEL,
): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, files);
    await assertRejects(() => readRequests(folder, model, FORM), LetheError, message);
  });
}

Deno.test("readRequests takes identities from file names, in the names' order", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "9.png": png, "10.jpg": png, "a%2Fb.png": png, ".DS_Store": "" });
    const requests = await readRequests(folder, MODEL, FORM);
    assertEquals(requests.map(({ file }) => file), ["10.jpg", "9.png", "a%2Fb.png"]);
    assertEquals(requests.map(({ identity }) => identity), ["10", "9", "a/b"]);
    assertEquals(requests[0], {
      file: "10.jpg",
      identity: "10",
      sha256: sha256Hex(png),
      rgb: new Uint8Array(16 * 16 * 3).fill(90),
      targets: null,
    });
  }));

Deno.test("readRequests takes identities and labels from requests.csv, columns in any order", () =>
  inTemporaryFolder(async (folder) => {
    const csv = "Hat,identity,file,Smiling\n1,Ann,x.png,0\n-1,Bob,y.png,1";
    await writeFiles(folder, { "x.png": png, "y.png": png, "requests.csv": csv });
    const requests = await readRequests(folder, MODEL, FORM);
    assertEquals(requests.map(({ identity }) => identity), ["Ann", "Bob"]);
    assertEquals(requests.map(({ targets }) => targets), [[0, 1], [1, 0]]);

    await writeFiles(folder, { "requests.csv": "file,identity\nx.png,Ann\ny.png,Bob\n" });
    assertEquals((await readRequests(folder, MODEL, FORM)).map(({ targets }) => targets), [
      null,
      null,
    ]);

    await writeFiles(folder, { "requests.csv": "file,identity,class\ny.png,A,dog\nx.png,B,cat\n" });
    assertEquals((await readRequests(folder, CLASSES, FORM)).map(({ targets }) => targets), [[0], [
      1,
    ]]);
  }));

Deno.test("readRequests refuses a folder that is missing, empty or holds anything else", async () => {
  await assertRejects(() => readRequests("none/here", MODEL, FORM), LetheError, "does not exist");
  await refuses({}, "holds no image");
  await refuses({ "requests.csv": "file,identity\n" }, "holds no image");
  await refuses({ "a.png": png, "b.txt": "RIFF" }, "b.txt is no request");
  await refuses({ "a.png": png, "sub/b.png": png }, "name the folder that holds the requests");
  await refuses({ "a.png": png, "Requests.CSV": "x" }, "rename it requests.csv");
  await refuses({ "a.png": "text" }, "a.png is not an image");
});

Deno.test("listRequests refuses a name that no line could show, before anything is opened", () =>
  inTemporaryFolder(async (folder) => {
    for (const name of ["a\nb.png", "a\tb.png", "a\u001b[2J.png", "a\u007f.png"]) {
      await writeFiles(folder, { [name]: "" });
      await assertRejects(() => listRequests(folder), LetheError, "has a control character");
      await Deno.remove(join(folder, name));
    }
    const odd = `a '"<3>; (é) .png`;
    await writeFiles(folder, { [odd]: "" });
    assertEquals((await listRequests(folder)).images, [odd], "the control");
  }));

Deno.test("readRequests refuses a symbolic link", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "train/a.png": png, "requests/b.png": png });
    await Deno.symlink(`${folder}/train/a.png`, `${folder}/requests/a.png`);
    await assertRejects(
      () => readRequests(`${folder}/requests`, MODEL, FORM),
      LetheError,
      "a.png is a symbolic link",
    );
  }));

Deno.test("readRequests takes several images of one person, and refuses none of them", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "a.png": png,
      "a.jpg": png,
      "requests/x.png": png,
      "requests/y.png": png,
    });
    await writeFiles(folder, { "requests/requests.csv": "file,identity\nx.png,Ann\ny.png,Ann\n" });
    const of = async (name: string) =>
      (await readRequests(name, MODEL, FORM)).map(({ identity }) => identity);
    assertEquals(await of(`${folder}/requests`), ["Ann", "Ann"]);
    await Deno.remove(`${folder}/requests`, { recursive: true });
    assertEquals(await of(folder), ["a", "a"]);
  }));

Deno.test("requestPeople takes 4711.2 for a further photograph of 4711, unless somebody is called so", async () => {
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "4711.jpg": png,
      "4711.2.jpg": png,
      "7.2.png": png,
      "9%2E2.png": png,
    });
    const rows = await readRequestRows(folder, null);
    const people = (...known: string[]) =>
      Object.fromEntries(
        requestPeople(rows, folder, (identity) => known.includes(identity))
          .map(({ file, identity }) => [file, identity]),
      );
    assertEquals(people("4711", "7"), {
      "4711.jpg": "4711",
      "4711.2.jpg": "4711",
      "7.2.png": "7",
      "9%2E2.png": "9.2",
    });
    assertEquals(people("4711.2")["4711.2.jpg"], "4711.2");
    // Of nobody known the name stands as it is written.
    assertEquals(people()["7.2.png"], "7.2");
    const error = assertThrows(() => people("4711", "4711.2"), LetheError);
    assertEquals(error.value, `${folder}/4711.2.jpg may show 4711.2 or, for a second time, 4711`);
    assertEquals(error.remedy.includes("name it 4711%2E2.jpg for 4711.2"), true);
    // Where nobody can tell, another photograph in the folder does.
    const guessed = requestPeople(rows, folder).map(({ identity }) => identity);
    assertEquals(guessed, ["4711", "4711", "7.2", "9.2"]);
  });
});

Deno.test("readRequests refuses rows and files that do not match", async () => {
  const refusesCsv = (csv: string, message: string, model = MODEL) =>
    refuses({ "a.png": png, "b.png": png, "requests.csv": csv }, message, model);
  await refusesCsv("file,identity\na.png,A\n", "has no row for b.png");
  await refusesCsv(
    "file,identity\na.png,A\nb.png,B\nc.png,C\n",
    'line 4 names "c.png", which is not',
  );
  await refusesCsv("file,identity\na.png,A\na.png,B\n", 'line 3 names "a.png" again');
  await refusesCsv("file,identity\na.png,A\n../b.png,B\n", 'line 3 names "../b.png", which is not');
  await refusesCsv("file,identity\na.png,\nb.png,B\n", "line 2 has no identity");
  await refusesCsv("file,identity,Smiling,Hat\na.png,A,1,2\nb.png,B,1,1\n", "line 2 gives Hat");
  await refusesCsv("file,identity,class\na.png,A,cow\nb.png,B,cat\n", 'the class "cow"', CLASSES);
});

Deno.test("readRequests refuses label columns that are not the model's", async () => {
  const refusesHeader = (header: string, message: string, model = MODEL) =>
    refuses({ "a.png": png, "requests.csv": `${header}\n` }, message, model);
  await refusesHeader("file,identity,Smiling", "has no column Hat");
  await refusesHeader("file,identity,Smiling,Hat,Male", "has the unknown column Male");
  await refusesHeader(
    "file,identity,Smiling,Male",
    "has no column Hat and the unknown column Male",
  );
  await refusesHeader("file,Smiling,Hat", "has no column file or identity");
  await refusesHeader("file,identity,dog", "has no column class and the unknown", CLASSES);
});

Deno.test("readRequests passes over what macOS and Windows leave, and matches names in either Unicode form", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "Rene\u0301e.png": png,
      "._Rene\u0301e.png": "\0",
      ".DS_Store": "\0",
      "__MACOSX/._a.png": "\0",
      "@eaDir/x.png/SYNOPHOTO_THUMB_S.png": "\0",
      "Thumbs.db": "\0",
      "desktop.ini": "\0",
      "requests.csv": "file;identity\nRen\u00e9e.png;p1\n",
    });
    const requests = await readRequests(folder, MODEL, FORM);
    assertEquals(requests.map(({ file, identity }) => [file, identity]), [[
      "Rene\u0301e.png",
      "p1",
    ]]);
  }));

Deno.test("readRequests names a format that is not read, and the line that converts it", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "ann.heic": "x" });
    const error = await assertRejects(() => readRequests(folder, MODEL, FORM), LetheError);
    assertEquals(error.value.endsWith("ann.heic is a HEIC image"), true);
    assertEquals(error.remedy.includes("heif-convert"), true);
  }));
