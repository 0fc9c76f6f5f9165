import { listedSamples } from "../listed_samples.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readMufac } from "../../../lib/data/layouts/mufac.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

const HEADER = "family_id,person_id,age_class,image_path";
const GOOD = {
  "train_images/F1_a1.jpg": "x",
  "train_images/F1_b1.JPG": "x",
  "val_images/F1_h1.jpg": "x",
  "test_images/F2_c1.jpg": "x",
  "custom_train_dataset.csv": `${HEADER}\nF1,D,b,F1_b1.JPG\nF1,D,a,F1_a1.jpg\nF1,M,h,gone.jpg\n`,
  "custom_val_dataset.csv": `${HEADER}\r\nF1,D,h,F1_h1.jpg`,
  "custom_test_dataset.csv": `,${HEADER}\n0,F2,D2,c,F2_c1.jpg\n`,
};

async function refuses(folder: string, train: string, message: string): Promise<void> {
  await writeFiles(folder, { ...GOOD, "custom_train_dataset.csv": train });
  await assertRejects(() => readMufac(folder), LetheError, message);
}

Deno.test("readMufac joins the parts and takes family and person for the identity", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, GOOD);
    const { task, labels, samples, absent } = await readMufac(folder);
    assertEquals([task, labels.length, absent], ["classes", 8, 1]);
    assertEquals(listedSamples(samples), [
      { file: "test_images/F2_c1.jpg", identity: "F2_D2", targets: [2] },
      { file: "train_images/F1_a1.jpg", identity: "F1_D", targets: [0] },
      { file: "train_images/F1_b1.JPG", identity: "F1_D", targets: [1] },
      { file: "val_images/F1_h1.jpg", identity: "F1_D", targets: [7] },
    ]);
  }));

Deno.test("readMufac reads the real files' quirks", () =>
  inTemporaryFolder(async (folder) => {
    // A byte order mark, spaces, columns and rows in any order, CRLF, images absent from each part, no
    // last line end; one person in two parts.
    await writeFiles(folder, {
      ...GOOD,
      "custom_train_dataset.csv":
        "\ufefffamily_id, person_id ,age_class,image_path\r\nF1, D,b,F1_b1.JPG \r\n" +
        "F9,D,a,gone.jpg\r\n\r\nF1,D, a ,F1_a1.jpg",
      "custom_val_dataset.csv":
        "age_class,image_path,person_id,family_id\nh,F1_h1.jpg,D,F1\nh,gone.jpg,D,F1",
      "custom_test_dataset.csv": `${HEADER}\n"F2","D2","c","F2_c1.jpg"\nF2,D2,c,gone.jpg\n\n`,
    });
    const { samples, absent } = await readMufac(folder);
    assertEquals(absent, 3);
    assertEquals(samples.map(({ file, identity, targets }) => [file, identity, targets[0]]), [
      ["test_images/F2_c1.jpg", "F2_D2", 2],
      ["train_images/F1_a1.jpg", "F1_D", 0],
      ["train_images/F1_b1.JPG", "F1_D", 1],
      ["val_images/F1_h1.jpg", "F1_D", 7],
    ]);
  }));

Deno.test("readMufac names what is broken and where", () =>
  inTemporaryFolder(async (folder) => {
    const rows = "F1,D,b,F1_b1.JPG\nF1,D,a,F1_a1.jpg\n";
    await refuses(folder, `${HEADER}\nF1,D,b,F1_b1.JPG\n`, "train_images/F1_a1.jpg has no row in");
    await refuses(
      folder,
      `${HEADER}\n${rows}F1,D,a,F1_a1.jpg\n`,
      "line 4 names train_images/F1_a1",
    );
    await refuses(folder, `${HEADER}\n${rows}F1,D,i,x.jpg\n`, 'line 4 has the age class "i"');
    await refuses(folder, `${HEADER}\n${rows}F1,D,ab,x.jpg\n`, 'line 4 has the age class "ab"');
    await refuses(folder, `${HEADER}\n${rows}F1,,a,x.jpg\n`, "line 4 leaves the person open");
    await refuses(folder, `${HEADER}\n${rows}F1,D,a\n`, "line 4 has 3 fields");
    await refuses(folder, `${HEADER}\n${rows}F1,D,a,../x.jpg\n`, 'line 4 names "../x.jpg"');
    await refuses(
      folder,
      "family_id,person_id,image_path\nF1,D,x.jpg\n",
      "has the columns family_id",
    );
    await refuses(folder, `${HEADER},extra\nF1,D,a,x.jpg,1\n`, "has the columns family_id");
    await writeFiles(folder, GOOD);
    await Deno.remove(join(folder, "custom_val_dataset.csv"));
    await assertRejects(
      () => readMufac(folder),
      LetheError,
      "custom_val_dataset.csv does not exist",
    );
  }));
