import { createHash } from "node:crypto";
import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { canonicalJson } from "../../files/canonical_json.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { readSplit } from "../../data/split_file.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { commitOf } from "../record/commit.ts";
import { digestFile, listTree } from "../record/digest_files.ts";
import { isSignedBy, sign, type SigningKey } from "./signing_key.ts";
import { encodeStatement, preAuthentication } from "./statement.ts";

/** How a model or a kit was made, signed: what a chain of receipts begins with. */
export interface MakingReceipt {
  readonly version: "making 1";
  readonly step: "train" | "meta-learn";
  readonly made: {
    /** SHA-256 of model.safetensors: of the model, or of the one in the kit. */
    readonly weights: string;
    /** The kit's id; null for a model. */
    readonly kit: string | null;
  };
  /** SHA-256 of the model's weights that a kit was learned from; null for a model. */
  readonly from: string | null;
  /** {@link merkleRoot} of the data set, and SHA-256 of the split. */
  readonly data: { readonly root: string; readonly split: string };
  /** One hash for every file of Lethe's code and its lock file; the commit, where there is one. */
  readonly code: { readonly sha256: string; readonly commit: string | null };
  /** The command's options, seed and recipe among them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly ended: string;
  readonly signer: string;
  readonly signature: string;
}

const PREDICATE = "https://jsr.io/@lethe/lethe/making-receipt/v1";

/**
 * The root of a Merkle tree (RFC 6962) whose leaves are the data set's files in the order of their names:
 * name, a zero and SHA-256. Who has one file and the hashes beside its path can show that it was in.
 */
export function merkleRoot(hashes: Readonly<Record<string, string>>): string {
  const digest = (...parts: (string | Uint8Array)[]) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };
  const leaves = Object.keys(hashes).sort()
    .map((file) => digest(new Uint8Array([0]), `${file}\0${hashes[file]}`));
  const root = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return leaves[from];
    const half = 2 ** Math.ceil(Math.log2(to - from) - 1);
    return digest(new Uint8Array([1]), root(from, from + half), root(from + half, to));
  };
  return (leaves.length === 0 ? digest() : root(0, leaves.length)).toHex();
}

/** Where the receipt of a model or a kit lies: beside it. */
export function makingReceiptPath(made: string): string {
  return `${made.replace(/[/\\]+$/, "")}.receipt.json`;
}

/**
 * Writes the signed receipt of a model or a kit that was just made, beside it.
 *
 * @param out the model or kit folder
 * @param model the model folder that a kit was learned from; null for a model
 * @throws {LetheError} a file is missing or damaged
 */
export async function writeMakingReceipt(
  step: MakingReceipt["step"],
  out: string,
  model: string | null,
  split: string,
  settings: Readonly<Record<string, unknown>>,
  key: SigningKey,
): Promise<void> {
  const weights = async (folder: string) =>
    (await digestFile(join(folder, "model.safetensors"))).sha256;
  const signed: Omit<MakingReceipt, "signature"> = {
    ...{ version: "making 1", step },
    made: {
      weights: await weights(out),
      kit: step === "train" ? null : (await readManifest(out)).id,
    },
    from: model === null ? null : await weights(model),
    data: {
      root: merkleRoot((await readSplit(split)).hashes),
      split: (await digestFile(split)).sha256,
    },
    code: { sha256: await codeHash(), commit: await commitOf(PROJECT) },
    settings: JSON.parse(JSON.stringify(settings)),
    ended: new Date().toISOString(),
    signer: key.publicKey,
  };
  const signature = await sign(key, preAuthentication(statementOf(signed)));
  const text = JSON.stringify({ ...signed, signature }, null, 2) + "\n";
  await writeWhole(makingReceiptPath(out), text);
}

/** Settings of which there is one canonical text: what JSON.parse makes of `1e999` has none. */
const SIGNABLE: is.Kind<Record<string, unknown>> = {
  rule: "an object of finite numbers and whole texts",
  accepts(value): value is Record<string, unknown> {
    try {
      canonicalJson(value);
    } catch {
      return false;
    }
    return is.OBJECT.accepts(value);
  },
};

/** Reads such a receipt. @throws {LetheError} it is none, or the signature is not its signer's */
export async function readMakingReceipt(path: string): Promise<MakingReceipt> {
  const remedy = "name a receipt that train or meta-learn wrote";
  const json = parseJsonObject(
    await readPlainText(path, { maxBytes: 2 ** 22, remedy }),
    path,
    remedy,
  );
  const fields = new JsonFields(json, path, remedy);
  fields.read("version", is.oneOf(["making 1"]));
  fields.read("step", is.oneOf(["train", "meta-learn"]));
  fields.read("from", is.nullable(is.HASH));
  fields.read("settings", SIGNABLE);
  const [made, data] = [fields.within("made"), fields.within("data")];
  made.read("weights", is.HASH);
  made.read("kit", is.nullable(is.HASH));
  for (const name of ["root", "split"]) data.read(name, is.HASH);
  fields.within("code").read("sha256", is.HASH);
  const { signature, ...signed } = json as unknown as MakingReceipt;
  const signer = fields.read("signer", is.HASH);
  const right = typeof signature === "string" &&
    await isSignedBy(signer, signature, preAuthentication(statementOf(signed)));
  if (right) return json as unknown as MakingReceipt;
  throw new LetheError(
    `${path} is not what its signer signed`,
    "a chain holds signed receipts",
    remedy,
  );
}

function statementOf(signed: Omit<MakingReceipt, "signature">): Uint8Array<ArrayBuffer> {
  const subject = [{ name: "model.safetensors", digest: { sha256: signed.made.weights } }];
  return encodeStatement(subject, PREDICATE, JSON.parse(canonicalJson(signed)));
}

/** One hash over names and hashes of all of Lethe's code and the lock file. */
async function codeHash(): Promise<string> {
  const files = ["deno.json", "deno.lock", "mod.ts"];
  for (const room of ["cli", "lib", "tasks"]) {
    files.push(...(await listTree(join(PROJECT, room))).map((file) => `${room}/${file}`));
  }
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    hash.update(`${file} ${(await digestFile(join(PROJECT, file))).sha256}\n`);
  }
  return hash.digest("hex");
}
