import * as tf from "@tensorflow/tfjs";
import { command, main } from "../../cli/command/command.ts";
import { openDevice } from "../../lib/tensor/device.ts";

/** Milliseconds after which it ends by itself. */
const LONGEST = 60_000;

/** A command that computes on WASM without a turn of the event loop. */
await main(command({
  name: "endless",
  summary: "computes in one pass",
  options: {},
  examples: [],
  async run(_, terminal) {
    await openDevice("wasm");
    const one = tf.scalar(1);
    terminal.note("begun");
    for (const begun = performance.now(); performance.now() - begun < LONGEST;) {
      tf.add(one, one).dispose();
    }
  },
}));
