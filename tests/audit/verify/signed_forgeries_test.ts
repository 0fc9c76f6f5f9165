import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import { readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { digestFile } from "../../../lib/audit/record/digest_files.ts";
import { verifyReceipt } from "../../../lib/audit/verify/verify_receipt.ts";
import { readKit } from "../../../lib/model/kit/read_kit.ts";
import { writeKit } from "../../../lib/model/kit/write_kit.ts";
import type { KitManifest } from "../../../lib/model/kit/kit_manifest.ts";
import { encodeSummary, SUMMARY_FILE } from "../../../lib/run/summary_file.ts";
import type { UnlearnSummary } from "../../../lib/run/unlearn_summary.ts";
import { onReceipt, reseal } from "../small_run.ts";

// What the owner of the signing key makes up: everything fits together, and the signature is good.

/** Checks that failed, with what they say; with the kit at hand, or without it. */
async function failures(folder: string, publicKey: string, withKit: boolean) {
  const { checks } = await verifyReceipt({
    receipt: join(folder, "unlearned/receipt.json"),
    publicKey,
    ...(withKit ? { kit: join(folder, "kit") } : {}),
  });
  return Object.fromEntries(
    checks.filter(({ state }) => state === "failed").map(({ layer, detail }) => [layer, detail]),
  );
}

/** Rewrites the summary and what the receipt says of the same, and signs. */
async function restate(
  folder: string,
  { change, kitId }: Partial<Pick<Receipt, "change" | "kitId">>,
): Promise<void> {
  const path = join(folder, "unlearned", SUMMARY_FILE);
  const summary: UnlearnSummary = JSON.parse(await Deno.readTextFile(path));
  const other = { ...summary, change: change ?? summary.change, kit: kitId ?? summary.kit };
  await Deno.writeTextFile(path, encodeSummary(other));
  await reseal(folder, { ...(change ? { change } : {}), ...(kitId ? { kitId } : {}) });
}

const statedChange = async (folder: string) =>
  (await readReceipt(join(folder, "unlearned/receipt.json"))).change!;

/** What is made up, which check says so and by which words, and whether it takes the kit to tell. */
const FORGERIES: [
  what: string,
  forge: (folder: string) => Promise<void>,
  check: string,
  says: string,
  takesKit?: "takes the kit",
][] = [
  [
    "a step of another length than the weights moved",
    async (folder) => {
      const change = await statedChange(folder);
      const [[name, norm]] = Object.entries(change.norms);
      const norms = { ...change.norms, [name]: norm * 2 };
      await restate(folder, { change: { ...change, norms } });
    },
    "change",
    "the weights themselves moved by",
    "takes the kit",
  ],
  [
    "no range where the kit has one",
    async (folder) => {
      const { relative, norms } = await statedChange(folder);
      await restate(folder, { change: { relative, norms, unusual: null } });
    },
    "change",
    "the kit's range, and so what is usual, is another",
  ],
  [
    "a wider range than the kit's",
    async (folder) => {
      const change = await statedChange(folder);
      await restate(folder, { change: { ...change, high: change.high! * 10 } });
    },
    "change",
    "the kit's range, and so what is usual, is another",
  ],
  [
    "an unusual step that nobody allowed",
    async (folder) => {
      const change = await statedChange(folder);
      await restate(folder, { change: { ...change, unusual: true } });
    },
    "change",
    "no --allow-unusual-step took it",
  ],
  ...([{ photo: 0.5 }, { microBatch: "iVBORw0KGgo" }] as const).map((
    more,
  ): typeof FORGERIES[number] => [
    `a setting that is none: ${Object.keys(more)}`,
    async (folder) => {
      const { settings } = await readReceipt(join(folder, "unlearned/receipt.json"));
      await reseal(folder, { settings: { ...settings, ...more } });
    },
    "summary",
    `${Object.keys(more)} is no setting of a run`,
  ]),
  ...([
    ["unlearning", (kit) => ({ unlearning: { ...kit.unlearning, metaLearningRate: 1e-30 } })],
    ["record", () => ({ record: { seed: 20261126 } })],
    ["stepRanges", () => ({ stepRanges: undefined })],
  ] as [string, (kit: KitManifest) => Partial<KitManifest>][]).map((
    [field, edit],
  ): typeof FORGERIES[number] => [
    `a next kit of another ${field}`,
    async (folder) => {
      const path = join(folder, "unlearned/kit");
      const kit = await readKit(path);
      await Deno.remove(path, { recursive: true });
      const { version: _, files: __, ...manifest } = { ...kit.manifest, ...edit(kit.manifest) };
      const after = await writeKit(path, { ...kit, manifest });
      const { kitId } = await readReceipt(join(folder, "unlearned/receipt.json"));
      await restate(folder, { kitId: { ...kitId!, after } });
    },
    "next kit",
    `its ${field} is not what a request makes of the kit that was read`,
    "takes the kit",
  ]),
  ...([
    ["a file that no run writes", "written", "photos.bin", "outputs"],
    ["a file more in the model", "written", "model/photos.safetensors", "outputs"],
    ["a row of a kit without rows", "written", `kit/memory/${"0".repeat(64)}.row`, "next kit"],
    ["a log that no run leaves", "evidence", "evidence/photos.log", "evidence"],
    ["a kit's file that no kit has", "kit", "photos.bin", "outputs"],
  ] as [string, "written" | "evidence" | "kit", string, string][]).map((
    [how, list, file, check],
  ): typeof FORGERIES[number] => [
    how,
    async (folder) => {
      const place = join(folder, list === "kit" ? "kit" : "unlearned");
      await Deno.mkdir(dirname(join(place, file)), { recursive: true });
      await Deno.writeTextFile(join(place, file), "a training image");
      const receipt = await readReceipt(join(folder, "unlearned/receipt.json"));
      const more = { file, ...await digestFile(join(place, file)) };
      await reseal(folder, { [list]: [...receipt[list], more] });
    },
    check,
    list === "evidence"
      ? "no log that a run leaves"
      : check === "outputs"
      ? "no file of a run's"
      : "it names other files than",
  ]),
  [
    "something else beside the outputs as the identity key",
    (folder) => Deno.writeTextFile(join(folder, "unlearned/kit.identity-key"), "a training image"),
    "outputs",
    "holds no identity key",
  ],
  [
    "something else beside the outputs as the next kit's uses",
    (folder) =>
      Deno.writeTextFile(join(folder, "unlearned/kit.successor.json"), "a training image\n"),
    "outputs",
    "kit.successor.json line 1",
  ],
  ...([
    ["spaces", (text) => text.replace("{", "{ \t\t \t")],
    ["a byte order mark", (text) => `\ufeff${text}`],
    ["lines behind its end", (text) => `${text}\n\n \n`],
    [
      "its fields in another order",
      (text) =>
        JSON.stringify(
          Object.fromEntries(Object.entries(JSON.parse(text)).toReversed()),
          null,
          2,
        ) + "\n",
    ],
  ] as [string, (text: string) => string][]).map(([how, edit]): typeof FORGERIES[number] => [
    `something in how it is written: ${how}`,
    async (folder) => {
      const path = join(folder, "unlearned/receipt.json");
      await Deno.writeTextFile(path, edit(await Deno.readTextFile(path)));
    },
    "signature",
    "as Lethe writes none",
  ]),
];

for (const [what, forge, check, says, takesKit] of FORGERIES) {
  Deno.test(`verifyReceipt fails for a signed receipt with ${what}`, () =>
    onReceipt(async (folder, publicKey) => {
      await reseal(folder);
      assertEquals(await failures(folder, publicKey, true), {}, "the control");
      await forge(folder);
      const found = await failures(folder, publicKey, true);
      assertEquals(Object.keys(found), [check], JSON.stringify(found));
      assertStringIncludes(found[check], says);
      const alone = Object.keys(await failures(folder, publicKey, false));
      assertEquals(alone, takesKit ? [] : [check], "without the kit");
    }));
}
