import { assertLess } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { againstPytorch } from "../../lib/bench/against_pytorch.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { SMALL_WORKLOAD } from "../bench/small_workload.ts";
import { BACKENDS, HAS_ADAPTER, needing, runs } from "../machine.ts";

/** Debian's python3-torch, which the comparison is made for. */
const installed = await runs("/usr/bin/python3", "-c", "import torch");

for (const backend of ["webgpu", "wasm"] as const) {
  if (!BACKENDS.includes(backend) || backend === "webgpu" && !HAS_ADAPTER) continue;
  const name = `againstPytorch has both take the same step (${backend})`;
  Deno.test({
    ...needing("PyTorch in /usr/bin/python3", installed, name),
    // The backends keep their adapter and their WASM heap across tests.
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      const device = await openDevice(backend);
      const script = fromFileUrl(new URL("../../tasks/bench_pytorch.py", import.meta.url));
      const effort = { repetitions: 1, seconds: 0, turn: 0 };
      const report = await againstPytorch(device, SMALL_WORKLOAD, effort, script);
      const { loss, metaGradientNorm: { ours, pytorch } } = report;
      assertLess(Math.abs(loss.ours - loss.pytorch), 1e-6);
      assertLess(Math.abs(ours - pytorch), 1e-4 * pytorch);
    },
  });
}
