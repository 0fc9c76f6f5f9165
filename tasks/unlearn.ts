import { fromFileUrl, resolve } from "@std/path";
import { command, main } from "../cli/command.ts";
import { DEVICE } from "../cli/shared_options.ts";
import { SANDBOX_CHOICES } from "../lib/audit/containment.ts";
import { unlearnContained } from "../lib/audit/unlearn_contained.ts";

const fixture = (name: string) => fromFileUrl(new URL(`../fixtures/${name}`, import.meta.url));

/** `deno task unlearn`: Algorithm 1, unlearning, in a worker that can reach nothing else. */
export const unlearn = command({
  name: "unlearn",
  summary: "forgets the people of a folder of requests; reads the requests and the kit only",
  options: {
    support: {
      kind: "path",
      required: true,
      value: "DIR",
      help: "requests: one image per person, <identity>.jpg or .png, or named by requests.csv",
    },
    kit: {
      kind: "path",
      value: "DIR",
      help: "from meta-learn (./kit; fixtures/requests: the sample)",
    },
    identityKey: { kind: "path", value: "FILE", help: "the kit's key (KIT.identity-key)" },
    out: { kind: "path", default: "unlearned", value: "DIR", help: "folder to make" },
    branch: { kind: "flag", help: "use a kit that has a successor all the same" },
    sandbox: {
      kind: "choice",
      of: SANDBOX_CHOICES,
      default: "auto",
      help: "the worker's walls: bubblewrap where it can be, must be, or Deno's permissions alone",
    },
    microBatch: { kind: "integer", min: 1, max: 4096, default: 16, help: "images per pass" },
    device: DEVICE,
  },
  examples: [
    "deno task unlearn --support fixtures/requests",
    "deno task unlearn --support ./requests --kit ./kit --out ./unlearned",
  ],
  async run({ support, identityKey, out, branch, sandbox, ...options }, terminal) {
    // Nobody real is in the sample kit, so it may be used as often as one likes.
    const sample = options.kit === undefined && resolve(support) === resolve(fixture("requests"));
    const { kit = sample ? fixture("kit") : "kit", ...settings } = options;
    terminal.print(`kit: ${kit}${sample ? " (the sample, for fixtures/requests only)" : ""}`);
    const { summary } = await unlearnContained({
      kit,
      support,
      out,
      ...(identityKey === undefined ? {} : { identityKey }),
      branch,
      sample,
      settings,
      sandbox,
      onLine: (line) => /^(worker|walls): /.test(line) ? terminal.print(line) : terminal.note(line),
    });
    const { people, steps, targets, weights } = summary;
    terminal.print(
      `forgot ${people} ${people === 1 ? "person" : "people"} in ${steps.length} ` +
        `${steps.length === 1 ? "step" : "steps"}; labels from ${targets}`,
    );
    terminal.print(`weights: ${weights.before.slice(0, 16)} -> ${weights.after.slice(0, 16)}`);
    terminal.print(`${out}/model holds them, ${out}/kit serves the next request`);
  },
});

if (import.meta.main) await main(unlearn);
