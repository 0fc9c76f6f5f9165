import { assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { predictImages } from "../../lib/run/predict_images.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

const MODEL = fromFileUrl(import.meta.resolve("../../fixtures/4832d1b/unlearned/model"));

Deno.test("predictImages names a folder to read where a folder holds only folders", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { notes: "x" });
    await assertRejects(() => predictImages(MODEL, folder), LetheError, "holds no image;");
    await writeFiles(folder, { "b/1.png": "x", "a/2.png": "x" });
    await assertRejects(
      () => predictImages(MODEL, folder),
      LetheError,
      `holds no image but 2 folders; the images of one folder are read, and not those of folders in ` +
        `it: name one of them: ${join(folder, "a")}`,
    );
  }));
