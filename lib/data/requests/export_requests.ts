import { extname, join } from "@std/path";
import { formatCsv } from "../../files/text/csv.ts";
import { MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { checkHash } from "../loader/image_loader.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { identityFileName } from "./request_names.ts";
import type { Dataset } from "../sample.ts";
import { samplesOf, type Split } from "../split.ts";
import { buildFolder } from "../../files/write_whole.ts";

/**
 * Writes the support images as a folder of requests: a copy of each image under its identity's
 * name, and `requests.csv` with file, identity and the labels (0 or 1 each, or one `class`).
 *
 * @param split whose support images
 * @param dataset the data set that was split
 * @param out the folder to make; it must not exist, and appears whole
 * @throws {LetheError} when `out` exists or an image has changed since the split
 */
export async function exportRequests(split: Split, dataset: Dataset, out: string): Promise<void> {
  const isClass = dataset.task === "classes";
  await buildFolder(out, async (staging) => {
    const rows: (string | number)[][] = [];
    const taken = new Set<string>();
    for (const { file, identity, targets } of samplesOf(split, dataset, "support")) {
      const path = join(dataset.root, file);
      const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
      checkHash(path, bytes, split.hashes[file]);
      const name = identityFileName(identity, extname(file).toLowerCase(), taken);
      await Deno.writeFile(join(staging, name), bytes);
      rows.push([name, identity, ...isClass ? [dataset.labels[targets[0]]] : targets]);
    }
    rows.sort(([a], [b]) => a < b ? -1 : 1);
    const header = ["file", "identity", ...isClass ? ["class"] : dataset.labels];
    await Deno.writeTextFile(join(staging, "requests.csv"), formatCsv([header, ...rows]));
  });
}
