import { listed, listedSamples } from "./listed_samples.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { openDataset } from "../../lib/data/open_dataset.ts";
import type { DatasetName } from "../../lib/data/sample.ts";
import { LetheError, UsageError } from "../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "./temporary_folder.ts";

/** Label files for two images of two people; readers of labels open no image, so any bytes do. */
const CELEBA = {
  "img_align_celeba/1.jpg": "x",
  "img_align_celeba/2.jpg": "x",
  "identity_CelebA.txt": "1.jpg 7\n2.jpg 9\n",
  "list_attr_celeba.txt": "2\nSmiling Male Hat\n1.jpg 1 -1 -1\n2.jpg -1 1 -1\n",
};

Deno.test("openDataset finds a layout's files in the root or in its own subfolder", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(join(folder, "data/celeba"), CELEBA);
    const inner = await openDataset("celeba", join(folder, "data/celeba"));
    assertEquals(inner.root, join(folder, "data/celeba"));
    assertEquals(listed(await openDataset("celeba", join(folder, "data"))), listed(inner));
    // Large data sets often lie elsewhere, behind a link.
    await Deno.mkdir(join(folder, "linked"));
    await Deno.symlink(join(folder, "data/celeba"), join(folder, "linked/celeba"));
    assertEquals(
      listedSamples((await openDataset("celeba", join(folder, "linked"))).samples),
      listedSamples(inner.samples),
    );
    assertEquals([inner.name, inner.task, inner.absent], ["celeba", "multi-label", 0]);
  }));

Deno.test("openDataset says what is missing: the root, the layout's mark, or every image", () =>
  inTemporaryFolder(async (folder) => {
    const refuses = (root: string, message: string) =>
      assertRejects(() => openDataset("celeba", root), LetheError, message);
    await refuses(join(folder, "none"), "none does not exist");
    await refuses(folder, "holds no img_align_celeba/ and no list_attr_celeba.txt");
    await writeFiles(folder, CELEBA);
    await refuses(join(folder, "list_attr_celeba.txt"), "is not a folder");
    await Deno.remove(join(folder, "img_align_celeba"), { recursive: true });
    await refuses(folder, "holds no img_align_celeba/");
    await Deno.mkdir(join(folder, "img_align_celeba"));
    await refuses(folder, "img_align_celeba holds no image; JPEG, PNG or WebP files are needed");
    for (const name of ["1.jpg", "2.jpg"]) {
      await Deno.symlink("../1.jpg", join(folder, "img_align_celeba", name));
    }
    await refuses(folder, "img_align_celeba holds no image but 2 symbolic links; images are files");
  }));

Deno.test("openDataset keeps the attributes asked for, in their order", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, CELEBA);
    const dataset = await openDataset("celeba", folder, { attributes: ["Male", "Smiling"] });
    assertEquals(dataset.labels, ["Male", "Smiling"]);
    assertEquals(dataset.samples.map(({ targets }) => targets), [[0, 1], [1, 0]]);

    const refuses = (attributes: string[], message: string) =>
      assertRejects(() => openDataset("celeba", folder, { attributes }), LetheError, message);
    await refuses(["Smilling"], "unknown attribute Smilling");
    await refuses(["Smilling"], "did you mean Smiling?");
    await refuses(["Xyz"], "has Smiling, Male, Hat: choose among these");
    await refuses(["Male", "Male"], "none twice");
    await refuses([], "at least one is needed");
  }));

Deno.test("openDataset refuses attributes for a data set of classes", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, {
      "a.jpg": "x",
      "labels.csv": "file,identity,class\na.jpg,rex,dog\n",
    });
    await assertRejects(
      () => openDataset("folder", folder, { attributes: ["dog"] }),
      LetheError,
      "folder has classes",
    );
  }));

Deno.test("openDataset tells whoever named the wrong layout which one the folder looks like", () =>
  inTemporaryFolder(async (folder) => {
    const refuses = (name: "celeba" | "mufac" | "folder" | "celebahq", message: string) =>
      assertRejects(() => openDataset(name, folder), LetheError, message);
    await writeFiles(folder, { "labels.csv": "file,identity,Hat\na.jpg,A,1\n", "a.jpg": "x" });
    for (const name of ["celeba", "celebahq", "mufac"] as const) {
      await refuses(name, "holds labels.csv, as folder does: try --dataset folder");
    }
    await writeFiles(folder, CELEBA);
    await Deno.remove(join(folder, "labels.csv"));
    for (const name of ["folder", "celebahq", "mufac"] as const) {
      await refuses(name, "holds list_attr_celeba.txt, as celeba does: try --dataset celeba");
    }
  }));

Deno.test("openDataset refuses a layout that there is none of, by name", async () => {
  for (const name of ["foo", "toString"]) {
    await assertRejects(
      () => openDataset(name as DatasetName, "."),
      UsageError,
      `layout "${name}"; it is celeba, celebahq, mufac, folder: take one`,
    );
  }
});
