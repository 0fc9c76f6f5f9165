import { openSplit } from "../../../lib/run/split_data.ts";

// deno run -A --unstable-raw-imports tests/data/full_size/open_split.ts SPLIT DATA
if (import.meta.main) {
  const [split, root] = Deno.args;
  await openSplit(split, root);
}
