import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import type { MachineFile } from "../sandbox/contained_run.ts";
import { type Digest, type FileDigest, LAUNCHERS, type Receipt, RECEIPT_FILE } from "./receipt.ts";
import {
  BYTES,
  COMMIT,
  FILE,
  LENGTH,
  LENGTHS,
  LINE,
  NONCE,
  PLAIN,
  SIGNATURE,
  TIME,
  WORD,
} from "./receipt_kinds.ts";

/** A receipt lists files, people by hash, and lines; the logs lie beside it. */
export const MAX_RECEIPT_BYTES = 64 * 2 ** 20;
const REMEDY = "use an intact receipt";
const MAX_ENTRIES = 1_000_000;
/** Programs and mapped files: a worker has some tens, and whoever verifies hashes each of them. */
const MAX_MACHINE = 4096;

const NEWEST = 2;
/** A receipt that this Lethe cannot judge. */
export class NewerReceipt extends LetheError {}

/** The text that `receipt.json` holds. */
export function encodeReceipt(receipt: Receipt): string {
  return JSON.stringify(receipt, null, 2) + "\n";
}

function readChange(of: JsonFields): NonNullable<Receipt["change"]> {
  const low = of.optional("low", LENGTH);
  const high = of.optional("high", LENGTH);
  return {
    relative: of.read("relative", LENGTH),
    norms: of.read("norms", LENGTHS),
    unusual: of.read("unusual", is.nullable(is.BOOLEAN)),
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
  };
}

/** How many people a receipt's photographs show. */
export function peopleOf({ people, requests }: Pick<Receipt, "people" | "requests">): number {
  return people ?? requests.length;
}

/** Reads a receipt. @throws {LetheError} there is none, or a field is not what it should be */
export async function readReceipt(path: string): Promise<Receipt> {
  return parseReceipt(await readReceiptText(path), path);
}

/** The text of a receipt's file. @throws {LetheError} there is none, or it is no text */
export async function readReceiptText(path: string): Promise<string> {
  const inside = join(path, RECEIPT_FILE);
  const isOutput = await Deno.lstat(inside).then(() => true, () => false);
  return await readPlainText(path, {
    maxBytes: MAX_RECEIPT_BYTES,
    remedy: isOutput ? `did you mean ${inside}?` : "name the receipt.json of an unlearning run",
  });
}

/**
 * Parses a receipt; every field is checked, unknown ones are refused.
 *
 * @param file its name, for errors
 * @throws {LetheError} naming the field
 */
export function parseReceipt(text: string, file: string): Receipt {
  const fields = new JsonFields(parseJsonObject(text, file, REMEDY), file, REMEDY);
  const version = fields.read("version", is.integer(1, Number.MAX_SAFE_INTEGER)) as 1 | 2;
  if (version > NEWEST) {
    throw new NewerReceipt(
      `${file} is a receipt of version ${version}`,
      `this Lethe reads versions 1 to ${NEWEST}`,
      "verify it with the Lethe that wrote it, or a newer one",
    );
  }
  const entries = <T>(of: JsonFields, name: string, read: (entry: JsonFields) => T): T[] =>
    of.read(name, is.list(is.OBJECT, 0, MAX_ENTRIES)).map((entry, i) => {
      const within = new JsonFields(entry, `${file}: ${name}[${i}]`, REMEDY);
      const result = read(within);
      within.end();
      return result;
    });
  const digest = (of: JsonFields): Digest => ({
    sha256: of.read("sha256", is.HASH),
    bytes: of.read("bytes", BYTES),
  });
  const fileDigest = (of: JsonFields): FileDigest => ({
    file: of.read("file", FILE),
    ...digest(of),
  });
  const whole = <T>(of: JsonFields, read: (of: JsonFields) => T): T => {
    const result = read(of);
    of.end();
    return result;
  };
  const digestOrNull = (name: string) =>
    fields.read(name, is.nullable(is.OBJECT)) === null ? null : whole(fields.within(name), digest);
  const beforeAndAfter = (of: JsonFields) => ({
    before: of.read("before", is.HASH),
    after: of.read("after", is.HASH),
  });
  /** What version 1 did not have. In the order of `composeReceipt`, as a receipt has one text. */
  const of2 = <T extends object>(read: () => T): T | Record<never, never> =>
    version === 1 ? {} : read();
  const people = version === 1 ? undefined : fields.optional("people", is.integer(1, MAX_ENTRIES));
  const receipt: Receipt = {
    version,
    lethe: fields.read("lethe", is.line(100)),
    ...of2(() => ({
      commit: fields.read("commit", is.nullable(COMMIT)),
      auditorNonce: fields.read("auditorNonce", is.nullable(NONCE)),
    })),
    nonce: fields.read("nonce", is.HASH),
    started: fields.read("started", TIME),
    ended: fields.read("ended", TIME),
    requests: entries(fields, "requests", digest),
    ...(people === undefined ? {} : { people }),
    requestTable: fields.read("requestTable", is.nullable(is.HASH)),
    targets: fields.read("targets", is.oneOf(["requests.csv", "the model's own predictions"])),
    split: digestOrNull("split"),
    kit: entries(fields, "kit", fileDigest),
    written: entries(fields, "written", fileDigest),
    ...of2(() => ({ kitId: whole(fields.within("kitId"), beforeAndAfter) })),
    weights: whole(fields.within("weights"), beforeAndAfter),
    ...of2(() => ({ change: whole(fields.within("change"), readChange) })),
    settings: fields.read("settings", PLAIN),
    adapter: fields.read("adapter", is.line(1000)),
    worker: whole(fields.within("worker"), (of) => ({
      containment: of.read("containment", is.oneOf(["bubblewrap", "deno"])),
      argv: of.read("argv", is.list(WORD, 1, MAX_ENTRIES)),
      permissions: of.read("permissions", is.list(LINE, 0, MAX_ENTRIES)),
      environment: of.read("environment", PLAIN),
    })),
    deno: whole(fields.within("deno"), (of) => ({
      ...digest(of),
      version: of.read("version", is.line(100)),
      target: of.read("target", is.line(100)),
    })),
    ...of2(() => ({
      library: whole(fields.within("library"), (of) => ({
        files: of.read("files", BYTES),
        sha256: of.read("sha256", is.HASH),
      })),
      machine: entries(fields, "machine", (of): MachineFile => ({
        path: of.read("path", is.line(4096)),
        use: of.read("use", is.oneOf(["program", "mapped"])),
        ...digest(of),
      })),
    })),
    launcher: fields.read("launcher", is.oneOf(LAUNCHERS)),
    lockFile: whole(fields.within("lockFile"), digest),
    code: entries(fields, "code", fileDigest),
    packages: entries(fields, "packages", (of) => ({
      name: of.read("name", is.line(300)),
      sha256: of.read("sha256", is.HASH),
    })),
    layers: entries(fields, "layers", (of): LayerOutcome => ({
      layer: of.read("layer", is.line(100)),
      state: of.read("state", is.oneOf(["held", "failed", "absent"])),
      detail: of.read("detail", LINE),
    })),
    evidence: entries(fields, "evidence", fileDigest),
    signer: fields.read("signer", is.nullable(is.HASH)),
    signature: fields.read("signature", is.nullable(SIGNATURE)),
  };
  fields.end();
  for (const name of ["kit", "written", "code", "evidence"] as const) {
    const files = receipt[name].map((entry) => entry.file.toLowerCase());
    const seen = new Set<string>();
    const twice = files.find((entry) => seen.size === seen.add(entry).size);
    if (twice !== undefined) fields.refuse(`${name} lists ${twice} twice`, "a file has one hash");
  }
  if (receipt.requests.length === 0) fields.refuse("requests is empty", "somebody asked");
  if (peopleOf(receipt) > receipt.requests.length) {
    fields.refuse(
      `people is ${people}, and there are ${receipt.requests.length} photographs`,
      "there is a photograph of each",
    );
  }
  const machine = receipt.machine ?? [];
  if (
    machine.length > MAX_MACHINE ||
    new Set(machine.map(({ path, use }) => use + path)).size < machine.length
  ) {
    fields.refuse(`machine has ${machine.length} entries`, `at most ${MAX_MACHINE}, none twice`);
  }
  if ((receipt.signer === null) !== (receipt.signature === null)) {
    fields.refuse("one of signer and signature is null", "a receipt has both or neither");
  }
  return receipt;
}
