import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { exportRequests } from "../../../lib/data/requests/export_requests.ts";
import { hashImages } from "../../../lib/data/loader/image_store.ts";
import { openDataset } from "../../../lib/data/open_dataset.ts";
import { writePortraits } from "../../../lib/data/portraits/write_portraits.ts";
import { readRequests } from "../../../lib/data/requests/requests.ts";
import type { Dataset } from "../../../lib/data/sample.ts";
import { makeSplit, samplesOf, type Split } from "../../../lib/data/split.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../temporary_folder.ts";

async function splitOf(dataset: Dataset): Promise<Split> {
  const hashes = await hashImages(dataset.root, dataset.samples.map(({ file }) => file));
  return makeSplit(dataset, { forget: 3, seed: 0, hashes });
}

Deno.test("exportRequests writes what readRequests reads: the support images and their labels", () =>
  inTemporaryFolder(async (folder) => {
    const root = join(folder, "people");
    await writePortraits(root, { identities: 12, imagesPerIdentity: 3, seed: 0, side: 16 });
    const dataset = await openDataset("celeba", root);
    const split = await splitOf(dataset);
    const out = join(folder, "requests");
    await exportRequests(split, dataset, out);
    const requests = await readRequests(out, dataset, { side: 16, version: 2 });
    const byIdentity = (a: { identity: string }, b: { identity: string }) =>
      a.identity < b.identity ? -1 : 1;
    assertEquals(
      requests.toSorted(byIdentity).map((r) => [r.identity, r.sha256, r.targets]),
      [...samplesOf(split, dataset, "support")].toSorted(byIdentity)
        .map((sample) => [sample.identity, split.hashes[sample.file], sample.targets]),
    );
    assertEquals(requests.map(({ file, identity }) => file === `${identity}.png`), [
      true,
      true,
      true,
    ]);
    await assertRejects(() => exportRequests(split, dataset, out), LetheError, "exists");

    await writeFiles(root, { [Object.values(split.support)[0]]: "other" });
    const second = join(folder, "second");
    await assertRejects(() => exportRequests(split, dataset, second), LetheError, "has changed");
    await assertRejects(() => Deno.lstat(second), Deno.errors.NotFound);
  }));

Deno.test("exportRequests names classes, and keeps awkward identities apart", () =>
  inTemporaryFolder(async (folder) => {
    const root = join(folder, "pets");
    const people = join(folder, "people");
    await writePortraits(people, { identities: 10, imagesPerIdentity: 2, seed: 0, side: 8 });
    const rows = ["file,identity,class"];
    for (let i = 1; i <= 20; i++) {
      const name = `${String(i).padStart(6, "0")}.png`;
      await writeFiles(root, {
        [`${i}.png`]: await Deno.readFile(join(people, "img_align_celeba", name)),
      });
      const owner = i % 2 ? "REX" : "rex";
      rows.push(`${i}.png,"${owner}, no. ${Math.ceil(i / 4)}/5",${i % 3 ? "dog" : "big cat"}`);
    }
    await writeFiles(root, { "pets.csv": rows.join("\n") });
    const dataset = await openDataset("folder", root);
    const split = await splitOf(dataset);
    const out = join(folder, "requests");
    await exportRequests(split, dataset, out);
    const requests = await readRequests(out, dataset, { side: 16, version: 2 });
    assertEquals(
      new Map(requests.map(({ identity, targets }) => [identity, targets])),
      new Map(
        samplesOf(split, dataset, "support").map(({ identity, targets }) => [identity, targets]),
      ),
    );
    assertEquals(requests.length, 3);
  }));
