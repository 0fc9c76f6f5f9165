import { fromFileUrl } from "@std/path";
import { BENCH_OPTIONS, benchSettings } from "../cli/bench_options.ts";
import { pytorchTable } from "../cli/bench_tables.ts";
import { command, main } from "../cli/command.ts";
import { printResult } from "../cli/print_result.ts";
import { openAndAnnounce } from "../cli/shared_options.ts";
import { againstPytorch } from "../lib/bench/against_pytorch.ts";

/** `deno task bench-pytorch`: a task of its own, since it alone has to run another program. */
export const benchPytorch = command({
  name: "bench-pytorch",
  summary: "times the training step against PyTorch on the same CPU (Debian's python3-torch)",
  options: BENCH_OPTIONS,
  examples: ["deno task bench-pytorch", "deno task bench-pytorch --device wasm --json"],
  async run(options, terminal) {
    const { settings, effort } = benchSettings(options, 1);
    const device = await openAndAnnounce(options.device, terminal);
    const script = fromFileUrl(new URL("./bench_pytorch.py", import.meta.url));
    const report = await againstPytorch(settings, effort, script);
    await printResult(
      terminal,
      options.json ? "-" : undefined,
      { device: device.adapter, ...report },
      pytorchTable(report),
    );
  },
});

if (import.meta.main) await main(benchPytorch);
