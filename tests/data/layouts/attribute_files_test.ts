import { listed, listedSamples } from "../listed_samples.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readCelebA } from "../../../lib/data/layouts/celeba.ts";
import { readCelebAHQ } from "../../../lib/data/layouts/celebahq.ts";
import { openDataset } from "../../../lib/data/open_dataset.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

const GOOD = {
  "img_align_celeba/000001.jpg": "x",
  "img_align_celeba/000002.JPG": "x",
  "img_align_celeba/.DS_Store": "x",
  "img_align_celeba/Thumbs.db": "x",
  "list_bbox_celeba.txt": "not needed",
  "identity_CelebA.txt": "000001.jpg 7\n000002.JPG 9\n",
  "list_attr_celeba.txt": "2\nSmiling Male\n000001.jpg 1 -1\n000002.JPG -1 1\n",
};

async function refuses(
  folder: string,
  change: Record<string, string>,
  message: string,
): Promise<void> {
  await writeFiles(folder, { ...GOOD, ...change });
  const error = await assertRejects(() => readCelebA(folder), LetheError);
  assertEquals(error.message.includes(message), true, `${error.message}\nlacks: ${message}`);
}

Deno.test("readAttributeFiles reads the real files' quirks", () =>
  inTemporaryFolder(async (folder) => {
    // Byte order mark, CRLF, extra spaces, rows out of order, no last line end, images absent.
    await writeFiles(folder, {
      ...GOOD,
      "identity_CelebA.txt": "\ufeff000002.JPG  9\r\n000003.jpg 9\r\n000001.jpg 7 \r\n",
      "list_attr_celeba.txt":
        "\ufeff3\r\nSmiling Male \r\n000003.jpg  1  1\r\n000002.JPG -1  0\r\n\r\n000001.jpg  1 -1",
    });
    assertEquals(listed(await readCelebA(folder)), {
      root: folder,
      task: "multi-label",
      labels: ["Smiling", "Male"],
      samples: [
        { file: "img_align_celeba/000001.jpg", identity: "7", targets: [1, 0] },
        { file: "img_align_celeba/000002.JPG", identity: "9", targets: [0, 0] },
      ],
      absent: 1,
      unread: [],
    });
  }));

Deno.test("readAttributeFiles names the file and line of a missing or extra row or column", () =>
  inTemporaryFolder(async (folder) => {
    const attributes = (text: string) => ({ "list_attr_celeba.txt": text });
    const rows = "000001.jpg 1 -1\n000002.JPG -1 1\n";
    await refuses(folder, attributes(""), "list_attr_celeba.txt has no header");
    await refuses(folder, attributes(`3\nSmiling Male\n${rows}`), "line 1 says 3, and 2 rows");
    await refuses(folder, attributes(`Smiling Male\n${rows}`), "line 1 says Smiling Male, and 1");
    await refuses(folder, attributes(`2\nSmiling Smiling\n${rows}`), "names the attribute Smiling");
    await refuses(folder, attributes(`2\nSmiling\n${rows}`), "line 3 has 2 values");
    await refuses(folder, attributes(`2\nSmiling Male Hat\n${rows}`), "line 3 has 2 values");
    await refuses(
      folder,
      attributes("2\nSmiling Male\n000001.jpg 1 -1\n000002.JPG 2 1\n"),
      "line 4 gives Smiling the value 2",
    );
    await refuses(
      folder,
      attributes("2\nSmiling Male\n000001.jpg 1 -1\n000001.jpg -1 1\n"),
      "line 4 names img_align_celeba/000001.jpg again",
    );
    await refuses(
      folder,
      attributes("1\nSmiling Male\n000001.jpg 1 -1\n"),
      "img_align_celeba/000002.JPG has no row in list_attr_celeba.txt",
    );
    await refuses(
      folder,
      attributes(`3\nSmiling Male\n${rows}000009.jpg 1 1\n`),
      "line 5 names 000009.jpg, which identity_CelebA.txt does not",
    );
  }));

Deno.test("readAttributeFiles names the line of a broken identity", () =>
  inTemporaryFolder(async (folder) => {
    const identities = (text: string) => ({ "identity_CelebA.txt": text });
    const rows = "000001.jpg 7\n000002.JPG 9\n";
    await refuses(folder, identities("000001.jpg 7\n000002.JPG\n"), "line 2 has 1 fields");
    await refuses(folder, identities(`${rows}000001.jpg 8\n`), "line 3 names 000001.jpg again");
    await refuses(folder, identities("000001.jpg 7\n"), "names 000002.JPG, which identity_CelebA");
    await refuses(
      folder,
      identities(`${rows}000003.jpg 9\n`),
      "line 3 names 000003.jpg, which list",
    );
  }));

Deno.test("readAttributeFiles refuses names that lead out of the image folder", () =>
  inTemporaryFolder(async (folder) => {
    await refuses(folder, {
      "identity_CelebA.txt": "000001.jpg 7\n../000002.JPG 9\n",
      "list_attr_celeba.txt": "2\nSmiling Male\n000001.jpg 1 -1\n../000002.JPG -1 1\n",
    }, 'line 4 names "../000002.JPG"');
  }));

Deno.test("readAttributeFiles says which part is missing, and where it is to be had", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, GOOD);
    await Deno.remove(join(folder, "identity_CelebA.txt"));
    const people = await assertRejects(() => readCelebA(folder), LetheError);
    assertEquals(people.message.includes("holds no identity_CelebA.txt;"), true, people.message);
    assertEquals(people.remedy.includes("Kaggle's copy leaves it out"), true);
    await Deno.remove(join(folder, "img_align_celeba"), { recursive: true });
    await writeFiles(folder, { "img_align_celeba.zip": "x" });
    const images = await assertRejects(() => readCelebA(folder), LetheError);
    assertEquals(images.remedy, "unpack img_align_celeba.zip");
    const empty = join(folder, "empty");
    await Deno.mkdir(empty);
    await assertRejects(
      () => readCelebA(empty),
      LetheError,
      "holds no img_align_celeba/ and no list_attr_celeba.txt and no identity_CelebA.txt",
    );
  }));

Deno.test("readCelebA reads Kaggle's, the authors' Drive's and nested layouts", () =>
  inTemporaryFolder(async (folder) => {
    const csv = "image_id,Smiling,Male\n000001.jpg,1,-1\n000002.JPG,-1,1\n";
    const people = GOOD["identity_CelebA.txt"];
    const [one, two] = ["000001.jpg", "000002.JPG"];
    const nested = "img_align_celeba/img_align_celeba/";
    const layouts: [Record<string, string>, root: string, images: string][] = [
      [{ "list_attr_celeba.csv": csv, "identity_CelebA.txt": people }, "", nested],
      [
        {
          "list_attr_celeba.csv": csv,
          "identity_CelebA.csv": `f,p\n${people.replaceAll(" ", ",")}`,
        },
        "",
        nested,
      ],
      [
        {
          "Anno/list_attr_celeba.txt": GOOD["list_attr_celeba.txt"],
          "Anno/identity_CelebA.txt": people,
        },
        "",
        "Img/img_align_celeba/",
      ],
      [
        {
          "CelebA/Anno/list_attr_celeba.txt": GOOD["list_attr_celeba.txt"],
          "CelebA/Anno/identity_CelebA.txt": people,
        },
        "/CelebA",
        "Img/img_align_celeba/",
      ],
      [
        { "celeba/list_attr_celeba.csv": csv, "celeba/identity_CelebA.txt": people },
        "/celeba",
        nested,
      ],
      [
        {
          "list_attr_celeba.txt": GOOD["list_attr_celeba.txt"],
          "list_attr_celeba.csv": csv,
          "identity_CelebA.txt": people,
        },
        "",
        nested,
      ],
    ];
    for (const [i, [labels, root, images]] of layouts.entries()) {
      const at = join(folder, String(i));
      const below = root === "" ? "" : root.slice(1) + "/";
      await writeFiles(at, {
        ...labels,
        [below + images + one]: "x",
        [below + images + two]: "x",
        "__MACOSX/._list_attr_celeba.csv": "x",
      });
      const dataset = await openDataset("celeba", at);
      assertEquals(dataset.root, at + root);
      assertEquals(dataset.labels, ["Smiling", "Male"]);
      assertEquals(listedSamples(dataset.samples), [
        { file: images + one, identity: "7", targets: [1, 0] },
        { file: images + two, identity: "9", targets: [0, 1] },
      ]);
    }
  }));

Deno.test("readCelebA takes the nearest of several, and refuses two that are equally near", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, GOOD);
    await writeFiles(join(folder, "backup"), GOOD);
    assertEquals((await readCelebA(folder)).root, folder);
    await writeFiles(join(folder, "two/a"), GOOD);
    await writeFiles(join(folder, "two/b"), GOOD);
    await assertRejects(
      () => readCelebA(join(folder, "two")),
      LetheError,
      "name the folder of one",
    );
  }));

Deno.test("readCelebAHQ reads CelebAMask-HQ's names", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "CelebA-HQ-img/0.jpg": "x",
      "CelebAMask-HQ-attribute-anno.txt": "1\nSmiling \n0.jpg  1\n",
      "CelebA-HQ-identity.txt": "0.jpg 12\n",
    });
    const { samples } = await readCelebAHQ(folder);
    assertEquals(listedSamples(samples), [{
      file: "CelebA-HQ-img/0.jpg",
      identity: "12",
      targets: [1],
    }]);
  }));

Deno.test("readCelebAHQ reads the real files' quirks", () =>
  inTemporaryFolder(async (folder) => {
    // Trailing space in the header, two spaces after the name, tabs, rows out of order (2 after 10),
    // CRLF in one file only, no last line end, images absent.
    await writeFiles(folder, {
      "CelebA-HQ-img/10.jpg": "x",
      "CelebA-HQ-img/2.jpg": "x",
      "CelebAMask-HQ-attribute-anno.txt":
        "3\nSmiling Young \n10.jpg  -1  1\n29999.jpg   1 -1\n2.jpg\t1\t1",
      "CelebA-HQ-identity.txt": "2.jpg 7\r\n29999.jpg  12\r\n10.jpg 7\r\n",
    });
    assertEquals(listed(await readCelebAHQ(folder)), {
      root: folder,
      task: "multi-label",
      labels: ["Smiling", "Young"],
      samples: [
        { file: "CelebA-HQ-img/10.jpg", identity: "7", targets: [0, 1] },
        { file: "CelebA-HQ-img/2.jpg", identity: "7", targets: [1, 1] },
      ],
      absent: 1,
      unread: [],
    });
  }));

const photographs = new URL("../../../../shared/data/celeba", import.meta.url);
const present = await Deno.stat(photographs).then(() => true, () => false);
if (!present) {
  console.log("readCelebA on real photographs: skipped, ../shared/data/celeba is absent");
}
Deno.test({
  name: "readCelebA reads real photographs' labels",
  ignore: !present,
  async fn() {
    const { samples, labels, absent } = await openDataset("celeba", fromFileUrl(photographs));
    assertEquals([samples.length, labels.length, absent], [4185, 40, 0]);
    assertEquals(new Set(samples.map(({ identity }) => identity)).size, 199);
  },
});
