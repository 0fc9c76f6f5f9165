import { command, main } from "../cli/command/command.ts";
import { progress } from "../cli/output/progress.ts";
import { SEED } from "../cli/options/shared_options.ts";
import { claimOutput } from "../lib/files/claim_output.ts";
import { writePortraits } from "../lib/data/portraits/write_portraits.ts";

/** `deno task portraits`: the built-in data set. */
export const portraits = command({
  name: "portraits",
  summary: "draws people who do not exist, in CelebA's layout, with private facts no picture shows",
  options: {
    identities: { kind: "integer", min: 1, required: true, help: "number of people" },
    imagesPerIdentity: { kind: "integer", min: 1, required: true, help: "pictures of each" },
    size: { kind: "integer", min: 8, max: 1024, default: 64, help: "side, pixels" },
    seed: SEED,
    out: { kind: "path", required: true, value: "DIR", help: "folder to make" },
  },
  examples: ["deno task portraits --identities 96 --images-per-identity 12 --out portraits"],
  async run({ identities, imagesPerIdentity, size, seed, out }, terminal) {
    using _claim = await claimOutput(out);
    const show = progress(terminal);
    await writePortraits(out, {
      identities,
      imagesPerIdentity,
      seed,
      side: size,
      onProgress: (done, total) => show({ stage: "draw", done, total, unit: "pictures" }),
    });
    terminal.print(`${out}: ${identities} people, ${identities * imagesPerIdentity} pictures`);
  },
});

if (import.meta.main) await main(portraits);
