import { TRAINING_IMAGES } from "../../model/kit/training_images.ts";
import { LAYERS } from "../layers/layer.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { PERMISSIONS_LOG, TRACE_LOG } from "../receipt/write_receipt.ts";
import type { Verdict } from "../layers/checks.ts";
import { judgeWorker, type WorkerFindings } from "./judge_worker.ts";

/**
 * Judges the layers that a receipt lists by what else it says. They are the known ones, each once at
 * most; one that is not listed was absent; one that says it held needs what it would have left: its log
 * among the evidence, its program in the command line, permissions and variables that grant nothing more.
 */
export function judgeLayers(receipt: Receipt): Verdict {
  const { layers } = receipt;
  const names = layers.map(({ layer }) => layer);
  const strange = names.find((name) => !LAYERS.some((known) => known === name));
  if (strange !== undefined) return ["failed", `there is no layer called ${strange}`];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) return ["failed", `${twice} is listed twice`];
  const named = (state: string) =>
    layers.filter((layer) => layer.state === state).map(({ layer }) => layer);
  const [held, failed] = [named("held"), named("failed")];
  const absent = [...named("absent"), ...LAYERS.filter((layer) => !names.includes(layer))];
  const without = absent.length === 0 ? "" : `; absent: ${absent.join(", ")}`;
  if (failed.length > 0) return ["failed", `in the run: ${failed.join(", ")}${without}`];
  const worker = judgeWorker(receipt);
  const hollow = held.flatMap((layer) => {
    const why = missing(layer, receipt, worker);
    return why === null ? [] : [`${layer}: ${why}`];
  });
  if (hollow.length > 0) return ["failed", `says held, and is not: ${hollow.join("; ")}`];
  // Even where no layer claims it: such a worker was not the one that Lethe starts.
  const { argv, permissions, environment } = worker;
  const wrong = permissions ?? environment ?? argv;
  if (wrong !== null) return ["failed", `the worker was not contained: ${wrong}`];
  if (held.length === 0) return ["absent", "no layer held in the run"];
  return ["held", `in the run, and by its record: ${held.join(", ")}${without}`];
}

/** A kit that knows its training images passes the list on. */
const HASHED_IMAGES = `kit/${TRAINING_IMAGES}`;

/** What a layer that held would have left and the receipt has not; null where all is there. */
function missing(
  layer: string,
  receipt: Receipt,
  { argv, permissions, environment, has }: WorkerFindings,
): string | null {
  const log = (file: string) =>
    receipt.evidence.some((entry) => entry.file === file)
      ? null
      : `${file} is not among the evidence`;
  switch (layer) {
    case "descriptors":
      return (has.wrapper ? null : "nothing in the command line closes them") ?? environment;
    case "reader":
      return receipt.requests.length > 0 && receipt.kit.length > 0 ? null : "nothing was read";
    case "permissions":
      return permissions ?? argv;
    case "operating system":
      return receipt.worker.containment === "bubblewrap" && has.bubblewrap
        ? argv
        : "bubblewrap is not in the command line";
    case "permission log":
      return log(PERMISSIONS_LOG) ??
        (environment === null && !receipt.worker.environment.DENO_AUDIT_PERMISSIONS
          ? "the worker was not told to log"
          : null);
    case "system calls":
      return log(TRACE_LOG) ?? (has.strace ? null : "strace is not in the command line");
    case "module graph":
      return receipt.code.length > 0 ? null : "no module is named";
    case "copies":
      return receipt.split !== null || receipt.written.some(({ file }) => file === HASHED_IMAGES)
        ? null
        : "there was neither a split nor a kit with hashes to hold requests against";
    default:
      return null;
  }
}
