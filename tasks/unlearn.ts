import { fromFileUrl, resolve } from "@std/path";
import { command, main } from "../cli/command.ts";
import { DEVICE, openAndAnnounce } from "../cli/shared_options.ts";
import { unlearnRequests } from "../lib/run/unlearn_requests.ts";

const fixture = (name: string) => fromFileUrl(new URL(`../fixtures/${name}`, import.meta.url));

/** `deno task unlearn`: Algorithm 1, unlearning. */
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
    microBatch: { kind: "integer", min: 1, max: 4096, default: 16, help: "images per pass" },
    device: DEVICE,
  },
  examples: [
    "deno task unlearn --support fixtures/requests",
    "deno task unlearn --support ./requests --kit ./kit --out ./unlearned",
  ],
  async run({ support, identityKey, out, branch, microBatch, ...options }, terminal) {
    // Nobody real is in the sample kit, so it may be used as often as one likes.
    const sample = options.kit === undefined && resolve(support) === resolve(fixture("requests"));
    const kit = options.kit ?? (sample ? fixture("kit") : "kit");
    terminal.print(`kit: ${kit}${sample ? " (the sample, for fixtures/requests only)" : ""}`);
    const device = await openAndAnnounce(options.device, terminal);
    const summary = await unlearnRequests({
      device,
      kit,
      support,
      out,
      ...(identityKey === undefined ? {} : { identityKey }),
      branch,
      sample,
      microBatch,
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
