import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hash } from "../../audit/small_receipt.ts";
import { json } from "../kit_folder.ts";
import { doneHere } from "../run_here.ts";
import { audits, inAudited, rewrite, VERIFY } from "./audited_path.ts";

/** Adds one to the last byte of a file. */
async function turn(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 1]++;
  await Deno.writeFile(path, bytes);
}

/** Changes what the receipt says; page and signature stay. */
// deno-lint-ignore no-explicit-any -- any field, as an attacker would
async function restate(folder: string, change: (receipt: any) => unknown): Promise<void> {
  const path = join(folder, "audited/receipt.json");
  const receipt = await json(path);
  change(receipt);
  await Deno.writeTextFile(path, JSON.stringify(receipt));
}

/** What is changed behind the signer's back, and the checks that must find it. */
const CHANGES: [string, (folder: string) => Promise<void>, string[]][] = [
  ["a weight byte", (f) => turn(join(f, "audited/model/model.safetensors")), [
    "outputs",
    "change",
  ]],
  ["a file of the next kit", (f) => turn(join(f, "audited/kit/meta_loss.safetensors")), [
    "outputs",
  ]],
  ["a file of the kit", (f) => turn(join(f, "kit/model.safetensors")), ["change", "kit"]],
  [
    "a line of the permission log",
    (f) =>
      rewrite(join(f, "audited/evidence/permissions.log"), (text) => text.replace(/^.*\n/, "")),
    ["evidence"],
  ],
  [
    "the nonce",
    (f) => restate(f, (receipt) => receipt.nonce = hash("0")),
    ["signature", "page", "bundle"],
  ],
  [
    "the adapter",
    (f) => restate(f, (receipt) => receipt.adapter = "another"),
    ["signature", "summary", "page", "bundle"],
  ],
  [
    "a layer that is taken out",
    (f) => restate(f, (receipt) => receipt.layers.pop()),
    ["signature", "page", "bundle"],
  ],
  [
    "the signature",
    (f) => restate(f, (receipt) => receipt.signature = [...receipt.signature].reverse().join("")),
    ["signature", "bundle"],
  ],
  [
    "another key",
    async (f) => {
      for (const half of ["signer", "signer.pub"]) await Deno.remove(join(f, half));
      await doneHere("audit", ["--new-key", "signer"], f);
    },
    ["signature"],
  ],
];
let control: Promise<void> | undefined;
/** Before any change, nothing fails. */
function intact(): Promise<void> {
  return control ??= inAudited(async (folder) => {
    const { code, failed, said } = await audits(folder, [...VERIFY, "--kit", "kit"]);
    assertEquals([code, failed], [0, []], said);
  });
}

for (const [what, change, checks] of CHANGES) {
  Deno.test(`audit --verify exits 0, and 3 after a change: ${what}`, () =>
    inAudited(async (folder) => {
      await intact();
      await change(folder);
      const found = await audits(folder, [...VERIFY, "--kit", "kit"]);
      assertEquals([found.code, found.failed], [3, checks], found.said);
    }));
}
