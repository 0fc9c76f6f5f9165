import { command, main } from "../cli/command.ts";
import { progress } from "../cli/progress.ts";
import { DATA, DATASET, SEED } from "../cli/shared_options.ts";
import { table } from "../cli/table.ts";
import { exportRequests } from "../lib/data/requests/export_requests.ts";
import { hashImages } from "../lib/data/loader/image_store.ts";
import { openDataset } from "../lib/data/open_dataset.ts";
import { IDENTITY_PARTS, makeSplit, samplesOf } from "../lib/data/split.ts";
import { writeSplit } from "../lib/data/split_file.ts";
import { refuseExisting } from "../lib/files/write_whole.ts";
import { finishBeforeExit } from "../lib/files/finish_before_exit.ts";

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
  },
  examples: [
    "deno task split --dataset celeba --data ./celeba --forget 20 --out split.json --requests requests",
  ],
  async run(options, terminal) {
    const { out, requests, forget, seed } = options;
    await refuseExisting(out);
    if (requests !== undefined) await refuseExisting(requests);
    const dataset = await openDataset(options.dataset, options.data, {
      attributes: options.attributes,
    });
    const show = progress(terminal);
    const hashes = await hashImages(dataset.root, dataset.samples.map(({ file }) => file), {
      onProgress: (done, total) => show({ stage: "hash", done, total, unit: "images" }),
    });
    const made = makeSplit(dataset, { forget, seed, hashes });
    await finishBeforeExit(async () => {
      if (requests !== undefined) await exportRequests(made, dataset, requests);
      await writeSplit(out, made);
    });
    const rows = IDENTITY_PARTS.map((part) => [
      part,
      String(made.identities[part].length),
      String(samplesOf(made, dataset, part).length),
    ]);
    rows.push(["support", String(forget), String(forget)]);
    for (const line of table(["part", "people", "images"], rows)) terminal.print(line);
    if (dataset.absent > 0) {
      terminal.note(`${dataset.absent} rows of the label files have no image and were left out`);
    }
  },
});

if (import.meta.main) await main(split);
