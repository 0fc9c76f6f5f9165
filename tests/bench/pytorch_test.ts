import { assertLess } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { againstPytorch } from "../../lib/bench/against_pytorch.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { SMALL_WORKLOAD } from "./small_workload.ts";

/** Debian's python3-torch, which the comparison is made for; without it there is nothing to test. */
const installed = await new Deno.Command("/usr/bin/python3", { args: ["-c", "import torch"] })
  .output().then(({ success }) => success, () => false);

if (installed) {
  onEachDevice("againstPytorch has both take the same step", async () => {
    const script = fromFileUrl(new URL("../../tasks/bench_pytorch.py", import.meta.url));
    const effort = { repetitions: 1, seconds: 0, turn: 0 };
    const { loss } = await againstPytorch(SMALL_WORKLOAD, effort, script);
    assertLess(Math.abs(loss.ours - loss.pytorch), 1e-6);
  });
} else {
  Deno.test({ name: "againstPytorch (no python3-torch)", ignore: true, fn: () => {} });
}
