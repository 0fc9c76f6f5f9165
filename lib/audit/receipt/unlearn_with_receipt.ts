import { checkInputs } from "../sandbox/inputs.ts";
import { dirname } from "@std/path";
import type { Split } from "../../data/split.ts";
import { readSplit, splitHash } from "../../data/split_file.ts";
import { readIdentityKey } from "../../model/kit/identity_key.ts";
import { readManifest } from "../../model/kit/stored_manifest.ts";
import type { UnlearnSummary } from "../../run/unlearn_summary.ts";
import type { ContainedRun } from "../sandbox/contained_run.ts";
import { copiesLayer, type KnownImages } from "../layers/copies.ts";
import { digestFile } from "../record/digest_files.ts";
import { moduleHashes } from "../record/module_hashes.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { isWithin } from "../sandbox/mounts.ts";
import {
  declaredCopies,
  declaredLimits,
  knownImages,
  type LimitOptions,
} from "./declared_limits.ts";
import type { Receipt } from "./receipt.ts";
import type { Place } from "../record/redact.ts";
import { findSigningKey } from "./signing_key.ts";
import { unlearnContained, type UnlearnContainedOptions } from "../sandbox/unlearn_contained.ts";
import { writeReceipt } from "./write_receipt.ts";

/** What {@link unlearnWithReceipt} needs. */
export interface UnlearnWithReceiptOptions extends UnlearnContainedOptions, LimitOptions {
  /** Private key; default `lethe.signing-key` where it lies, else the receipt is unsigned. */
  readonly signingKey?: string;
  /** What an auditor asks the run to carry, in hexadecimal. */
  readonly nonce?: string;
  /** The split, to hold the requests against. */
  readonly split?: string;
  /** The module that the launcher's process began with, below the project. */
  readonly launcher: Receipt["launcher"];
}

/**
 * All of {@link unlearnWithReceipt} that comes before an output: the request's photographs are checked, the
 * step is taken and judged, and nothing is kept. The kit is as unused as before.
 *
 * @throws LetheError as `unlearnWithReceipt`
 */
export async function tryUnlearning(options: UnlearnWithReceiptOptions): Promise<UnlearnSummary> {
  await findSigningKey(options.signingKey);
  const split = await splitOf(options);
  await checkInputs(options);
  await declaredLimits(options, split?.content);
  const notTrained = notTrainedOf(split?.content);
  return (await unlearnContained({ ...options, ...notTrained, trial: true })).summary;
}

/**
 * Forgets the people of a folder of requests in a contained worker, and adds to the output what shows
 * how: `receipt.json`, `receipt.html` and the evidence, signed where there is a key.
 *
 * @throws LetheError as `unlearnContained`; the key or the split is missing or damaged
 */
export async function unlearnWithReceipt(
  options: UnlearnWithReceiptOptions,
): Promise<{ summary: UnlearnSummary; receipt: Receipt }> {
  const signingKey = await findSigningKey(options.signingKey);
  const split = await splitOf(options);
  // Before a photograph is opened: no link is followed to see what it shows.
  await checkInputs(options);
  const limits = await declaredLimits(options, split?.content);
  const launcher = moduleHashes(options.launcher);
  launcher.catch(() => {}); // told where it is awaited
  let receipt: Receipt;
  const { summary } = await unlearnContained(
    { ...options, ...notTrainedOf(split?.content) },
    async (contained, folder) => {
      const run = { ...contained, settings: { ...contained.settings, ...limits } };
      const identityKey = await readIdentityKey(run.paths.identityKey);
      const copied = await copies(run, split?.content);
      receipt = await writeReceipt(folder, run, {
        signingKey,
        layers: [limits.allowTrainingPhoto ? declaredCopies(copied) : copied],
        identityKey,
        split: split && { sha256: split.sha256, bytes: split.bytes },
        launcher: { entry: options.launcher, ...await launcher },
        ...(options.nonce === undefined ? {} : { auditorNonce: options.nonce }),
        places: privatePlaces(run, folder),
      });
    },
  );
  return { summary, receipt: receipt! };
}

/** The split, if one was named; tells where it is not the one that the kit was made on. */
async function splitOf({ split, kit, onLine }: UnlearnWithReceiptOptions) {
  if (split === undefined) return null;
  const content = await readSplit(split);
  const { record } = (await readManifest(kit)).manifest;
  const own = record.split;
  if (own !== undefined && own !== splitHash(content)) {
    onLine?.(`${split} is another split than ${kit} was made on: its images are not the model's`);
  }
  return { ...await digestFile(split), content };
}

/** Whom the model was not trained on, where a split tells. */
function notTrainedOf(split: Split | undefined): { notTrained?: ReadonlySet<string> } {
  if (split === undefined) return {};
  return { notTrained: new Set([...split.identities.val, ...split.identities.test]) };
}

async function copies({ paths, read }: ContainedRun, split: KnownImages["split"]) {
  const requests = read.filter(({ path }) =>
    isWithin(path, paths.support) && !path.endsWith(".csv")
  );
  return copiesLayer(requests.map(({ sha256 }) => sha256), await knownImages(paths, split));
}

/** Places of a run, besides its inputs and output, whose paths may name the user. */
function privatePlaces(run: ContainedRun, folder: string): Place[] {
  const { XDG_RUNTIME_DIR: runFolder, DENO_DIR: packages } = run.worker.environment;
  const working = Deno.cwd();
  const named: Place[] = [
    ["{out}", folder],
    ["{run}", runFolder],
    ["{packages}", packages],
    ["{working folder}", working],
    ["{project}", PROJECT], // the later name, where they are one folder
  ];
  const inputs = Object.values(run.paths).filter((path) => path !== null);
  const above = new Set([...inputs, PROJECT, working, packages].flatMap(ancestors));
  return [...[...above].map((path): Place => ["{above}", path]), ...named];
}

/** The folders above a path that may be a user's own: below `/home`, `/Users`, `/data` and the like. */
function ancestors(path: string): string[] {
  const folders: string[] = [];
  for (
    let up = dirname(path);
    dirname(up) !== up && dirname(dirname(up)) !== dirname(up);
    up = dirname(up)
  ) {
    if (!/^\/(?:usr|lib|lib64|etc|proc|sys|dev)\//.test(up)) folders.push(up);
  }
  return folders;
}
