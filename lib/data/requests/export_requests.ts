import { extname, join } from "@std/path";
import { formatCsv } from "../../files/text/csv.ts";
import { MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { checkHash } from "../loader/image_loader.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { identityFileName } from "./request_names.ts";
import type { Dataset, Sample } from "../sample.ts";
import { type Split, supportSamples } from "../split.ts";
import { buildFolder } from "../../files/write_whole.ts";

/**
 * Writes the support images as a folder of requests: a copy of each image under its identity's
 * name, and `requests.csv` with file, identity and the labels (0 or 1 each, or one `class`).
 *
 * @param split whose support images
 * @param dataset the data set that was split
 * @param out the folder to make; it must not exist, and appears whole
 * @param hashOf the SHA-256 of an image; default: what the split says
 * @throws {LetheError} when `out` exists or an image has changed since the split
 */
export async function exportRequests(
  split: Pick<Split, "support"> & Partial<Pick<Split, "hashes">>,
  dataset: Dataset,
  out: string,
  hashOf: (sample: Sample) => string | undefined = ({ file }) => split.hashes?.[file],
): Promise<void> {
  const isClass = dataset.task === "classes";
  await buildFolder(out, async (staging) => {
    const rows: (string | number)[][] = [];
    const taken = new Set<string>();
    for (const sample of supportSamples(split.support, dataset)) {
      const { file, identity, targets } = sample;
      const path = join(dataset.root, file);
      const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
      checkHash(path, bytes, hashOf(sample));
      const name = identityFileName(identity, extname(file).toLowerCase(), taken);
      await Deno.writeFile(join(staging, name), bytes);
      rows.push([name, identity, ...isClass ? [dataset.labels[targets[0]]] : targets]);
    }
    rows.sort(([a], [b]) => a < b ? -1 : 1);
    const header = ["file", "identity", ...isClass ? ["class"] : dataset.labels];
    await Deno.writeTextFile(join(staging, "requests.csv"), formatCsv([header, ...rows]));
  });
}
