import { command, main } from "../cli/command/command.ts";
import { progress } from "../cli/output/progress.ts";
import { DATA, DATASET, SEED } from "../cli/options/shared_options.ts";
import { table } from "../cli/output/table.ts";
import { IDENTITY_PARTS, samplesOf } from "../lib/data/split.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { splitDataset } from "../lib/run/split_dataset.ts";

/** What people need who have no published data set. */
const FOLDER_LAYOUT = [
  "folder: images (JPEG, PNG, WebP) anywhere below ROOT, and one CSV file at its top with the columns " +
  "file (relative to ROOT), identity (whose picture it is), and the labels: either one column class, " +
  "or any number of columns of 1 (yes) and 0 (no).",
  "celeba, celebahq, mufac: as their authors publish them, and CelebA as Kaggle does; see lib/data.",
];

/** `deno task split`: Sec. 3.3. */
export const split = command({
  name: "split",
  summary: "splits a data set by identity (Sec. 3.3) and exports the support images as requests",
  options: {
    dataset: DATASET,
    data: DATA,
    forget: { kind: "integer", min: 1, required: true, help: "people who ask to be forgotten" },
    attributes: { kind: "list", help: "labels to keep (all)" },
    seed: SEED,
    out: { kind: "path", required: true, value: "FILE", help: "split file to make" },
    requests: { kind: "path", value: "DIR", help: "folder to make for the support images" },
    check: { kind: "flag", default: true, help: "try whether each image decodes" },
  },
  notes: FOLDER_LAYOUT,
  examples: [
    "deno task split --dataset celeba --data ./celeba --forget 20 --out split.json --requests requests",
  ],
  async run({ requests, attributes, ...options }, terminal) {
    using _claim = await claimOutput(options.out);
    using _requests = requests === undefined ? null : await claimOutput(requests);
    const { split, dataset, notes } = await splitDataset({
      ...options,
      ...(requests === undefined ? {} : { requests }),
      ...(attributes === undefined ? {} : { attributes }),
      onProgress: progress(terminal),
    });
    const rows = IDENTITY_PARTS.map((part) => [
      part,
      String(split.identities[part].length),
      String(samplesOf(split, dataset, part).length),
    ]);
    rows.push(["support", String(options.forget), String(options.forget)]);
    for (const line of table(["part", "people", "images"], rows)) terminal.print(line);
    for (const note of notes) terminal.note(note);
  },
});

if (import.meta.main) await main(split);
