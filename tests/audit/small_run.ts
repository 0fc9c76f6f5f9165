import { fromFileUrl, join } from "@std/path";
import { containedCommand } from "../../lib/audit/sandbox/containment.ts";
import type { ContainedRun } from "../../lib/audit/sandbox/contained_run.ts";
import { digestFile, digestFiles } from "../../lib/audit/record/digest_files.ts";
import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import { encodeReceipt, readReceipt } from "../../lib/audit/receipt/receipt_file.ts";
import { receiptBundle, sealReceipt } from "../../lib/audit/receipt/seal.ts";
import { receiptPage } from "../../lib/audit/receipt/receipt_page.ts";
import { newSigningKey, readSigningKey } from "../../lib/audit/receipt/signing_key.ts";
import { writeReceipt } from "../../lib/audit/receipt/write_receipt.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { writeModel } from "../../lib/model/checkpoint.ts";
import { writeIdentityKey } from "../../lib/model/kit/identity_key.ts";
import { writeKit } from "../../lib/model/kit/write_kit.ts";
import { encodeSummary } from "../../lib/run/summary_file.ts";
import { weightChange } from "../../lib/model/weight_change.ts";
import type { UnlearnSummary } from "../../lib/run/unlearn_summary.ts";
import { judgeStep } from "../../lib/unlearn/judge_step.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { smallKit } from "../model/small_kit.ts";
import { hash } from "./small_receipt.ts";

const PROJECT = fromFileUrl(new URL("../../", import.meta.url));

const IDENTITY_KEY = hash("9");

/** A text and its hash. */
const evidence = (text: string) => ({ text, sha256: sha256Hex(new TextEncoder().encode(text)) });

/** A line of a trace, with the octal escapes of strace; `as` is the descriptor, null for a failure. */
function opened(path: string, as: string | null): string {
  const octal = path.replaceAll("ë", "\\303\\253");
  const end = as === null ? "-1 ENOENT (No such file or directory)" : `${as}<${octal}>`;
  return `7 openat(AT_FDCWD</>, "${octal}", O_RDONLY|O_CLOEXEC) = ${end}`;
}

/**
 * The files of a run that forgot two people, and what a launcher would say of it: `kit/`, `requests/`
 * and, without a receipt, `unlearned/`. No model computes anything.
 */
export async function smallRun(folder: string): Promise<ContainedRun> {
  const at = (name: string) => join(folder, name);
  await writeFiles(at("requests"), {
    "Jane Doe.png": "one",
    "Zoë.png": "two",
    "requests.csv": "file,identity\n",
  });
  await writeIdentityKey(at("kit.identity-key"), IDENTITY_KEY);
  const people = ["c", "d", "e"].map(hash);
  const [made, next] = [people, people.slice(2)].map((some) => smallKit(some, false));
  for (const weight of next.model.theta.values()) weight.values[0] += 1;
  const change = weightChange(made.model.theta, next.model.theta);
  const { relative } = change;
  // As though six simulated requests had gone as far as this one.
  const range = { requests: 6, heldOut: true, low: relative, high: relative };
  const kit = { ...made, manifest: { ...made.manifest, stepRanges: { metaunlearn: range } } };
  const parent = await writeKit(at("kit"), kit);
  await Deno.mkdir(at("unlearned"));
  await writeModel(at("unlearned/model"), next.model);
  const after = await writeKit(at("unlearned/kit"), {
    ...next,
    manifest: {
      ...{ ...kit.manifest, identities: next.manifest.identities },
      ...{ generation: 1, parent, forgotten: people.slice(0, 2) },
    },
  });

  const read = async (name: string, files: string[]) =>
    (await digestFiles(at(name), files)).map(({ file, ...rest }) => ({
      path: join(at(name), file),
      ...rest,
    }));
  const weights = {
    before: (await digestFile(at("kit/model.safetensors"))).sha256,
    after: (await digestFile(at("unlearned/model/model.safetensors"))).sha256,
  };
  const summary: UnlearnSummary = {
    people: 2,
    photographs: 2,
    method: "metaunlearn",
    steps: [{ people: 2, metaLoss: 1 }],
    settings: { metaLearningRate: 0.1 },
    staleStatistics: false,
    change: { ...change, ...judgeStep(change, range, 1, false) },
    targets: "requests.csv",
    device: "WASM (SIMD, one thread)",
    kit: { before: parent, after },
    weights,
  };
  await writeFiles(at("unlearned"), {
    "summary.json": encodeSummary(summary),
  });
  const deno = { path: Deno.execPath(), ...await digestFile(Deno.execPath()) };
  return {
    nonce: hash("0"),
    started: "2026-01-02T03:04:05.678Z",
    ended: "2026-01-02T03:04:09.000Z",
    paths: {
      support: at("requests"),
      kit: at("kit"),
      identityKey: at("kit.identity-key"),
      out: at("unlearned"),
      trainingData: at("Album of Jane Doe"),
    },
    worker: {
      containment: "deno",
      ...await containedCommand("deno", {
        entry: join(PROJECT, "lib/audit/sandbox/unlearn_worker.ts"),
        modules: [],
        args: [at("run/job.json")],
        read: [
          at("run/job.json"),
          ...["Jane Doe.png", "Zoë.png", "requests.csv"].map((file) => join(at("requests"), file)),
          at("kit"),
        ],
        write: at("unlearned"),
        denoDir: at("cache"),
        runFolder: at("run"),
        drivers: [],
        permissionLog: at("run/permissions"),
        trace: null,
      }),
    },
    settings: { device: "wasm", microBatch: 16, method: "metaunlearn", metaLearningRate: 0.1 },
    adapter: "WASM (SIMD, one thread)",
    deno: { ...deno, version: Deno.version.deno },
    lockFile: { path: "deno.lock", ...await digestFile(join(PROJECT, "deno.lock")) },
    library: { files: 400, sha256: hash("7") },
    machine: [{ path: "/usr/bin/bwrap", use: "program", sha256: hash("8"), bytes: 8 }],
    code: [{ path: "lib/error.ts", ...await digestFile(join(PROJECT, "lib/error.ts")) }],
    packages: [{ name: "@tensorflow/tfjs@4.22.0", sha256: hash("a") }],
    read: [
      ...await read("requests", ["Jane Doe.png", "Zoë.png", "requests.csv"]),
      ...await read("kit", ["kit.json", "config.json", "meta_loss.safetensors", "config.json"]),
      ...await read("kit", ["model.safetensors"]),
    ],
    written: [],
    permissionLog: evidence(
      ["requests/Jane Doe.png", "kit/kit.json"]
        .map((name) => JSON.stringify({ v: 1, permission: "read", value: at(name) }) + "\n").join(
          "",
        ),
    ),
    trace: evidence(
      [
        `7 execve("${Deno.execPath()}", ["deno", "--allow-read=${at("req")}"...], 0x0) = 0`,
        opened(at("requests/Zoë.png"), "3"),
        opened(at("Album of Jane Doe/1.png"), null),
        "",
      ].join("\n"),
    ),
    layers: [
      { layer: "inputs", state: "held", detail: `${at("requests")} holds no link` },
      { layer: "operating system", state: "absent", detail: "no bubblewrap" },
    ],
    summary,
  };
}

/** Signs a run's receipt again as its operator could: of its files as they are now, and with other fields. */
export async function reseal(folder: string, changes: Partial<Receipt> = {}): Promise<void> {
  const at = (file: string) => join(folder, "unlearned", file);
  const { signer: _, signature: __, ...rest } = await readReceipt(at("receipt.json"));
  const written = await digestFiles(at("."), rest.written.map(({ file }) => file));
  const key = await readSigningKey(join(folder, "key"));
  const sealed = await sealReceipt({ ...rest, written, ...changes }, key);
  await Deno.writeTextFile(at("receipt.json"), encodeReceipt(sealed));
  await Deno.writeTextFile(at("receipt.html"), receiptPage(sealed));
  await Deno.writeTextFile(at("receipt.sigstore.json"), receiptBundle(sealed)!);
}

/** Runs a test in the folder of a {@link smallRun} with its receipt, signed by `key`. */
export function onReceipt(
  body: (folder: string, publicKey: string) => Promise<void>,
  { signed = true }: { signed?: boolean } = {},
): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const run = await smallRun(folder);
    const publicKey = await newSigningKey(join(folder, "key"));
    await writeReceipt(join(folder, "unlearned"), run, {
      signingKey: signed ? await readSigningKey(join(folder, "key")) : null,
      layers: [{ layer: "copies", state: "absent", detail: "no split" }],
      split: null,
      identityKey: IDENTITY_KEY,
      launcher: {
        entry: "tasks/unlearn.ts",
        code: await digestFiles(PROJECT, ["mod.ts", "lib/error.ts"]),
        packages: [{ name: "deno-std@1.4.0", sha256: hash("b") }],
      },
      places: [
        ["{project}", PROJECT.slice(0, -1)],
        ["{run}", join(folder, "run")],
        ["{packages}", join(folder, "cache")],
        ["{home}", folder],
      ],
    });
    await body(folder, publicKey);
  });
}
