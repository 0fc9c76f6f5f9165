import { assertRejects } from "@std/assert";
import { join } from "@std/path";
import { refuseWithinDataset } from "../../lib/data/outside_dataset.ts";
import { UsageError } from "../../lib/error.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

Deno.test("refuseWithinDataset refuses an output in the data set, at whatever depth and by links too", () =>
  inTemporaryFolder(async (folder) => {
    const root = join(folder, "data");
    await Deno.mkdir(root);
    await Deno.symlink("data", join(folder, "link"));
    const within = ["data", "data/", "data/new", "data/new/deep", "other/../data/x", "link/x"];
    for (const path of within) {
      await assertRejects(
        () => refuseWithinDataset(`${folder}/${path}`, root),
        UsageError,
        "lies in the data set",
      );
    }
    await assertRejects(
      () => refuseWithinDataset(join(root, "x"), join(folder, "link")),
      UsageError,
    );
    for (const path of ["data2", "dat", "..data", "new/data", ".", "data/../new"]) {
      await refuseWithinDataset(`${folder}/${path}`, root);
    }
  }));
