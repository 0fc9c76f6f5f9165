import { fromFileUrl } from "@std/path";
import { BENCH_OPTIONS, benchSettings } from "../cli/options/bench_options.ts";
import { pytorchTable } from "../cli/output/bench_tables.ts";
import { command, main } from "../cli/command/command.ts";
import { printResult } from "../cli/output/print_result.ts";
import { openAndAnnounce } from "../cli/options/shared_options.ts";
import { PYTHON, PYTORCH_MODES } from "../lib/bench/pytorch.ts";
import { againstPytorch, CARD_STEPS } from "../lib/bench/against_pytorch.ts";

/** `deno task bench-pytorch`: a task of its own, since it alone has to run another program. */
export const benchPytorch = command({
  name: "bench-pytorch",
  summary: "times steps against PyTorch on the same card, or the training step on the same CPU",
  options: {
    support: { kind: "integer", min: 1, max: 4096, default: 8, help: "N_S: people per request" },
    ...BENCH_OPTIONS,
    steps: { kind: "list", of: CARD_STEPS, default: CARD_STEPS, help: "what to time on a card" },
    modes: {
      kind: "list",
      of: PYTORCH_MODES,
      default: PYTORCH_MODES,
      help: "PyTorch's numbers on a card",
    },
    python: {
      kind: "path",
      takes: "file",
      value: "FILE",
      default: PYTHON,
      help: "a Python with PyTorch; another than Debian's needs --allow-run=FILE",
    },
  },
  examples: ["deno task bench-pytorch", "deno task bench-pytorch --device wasm --json"],
  async run(options, terminal) {
    const { settings, effort } = benchSettings(options, options.support);
    const device = await openAndAnnounce(options.device, terminal);
    const script = fromFileUrl(new URL("./bench_pytorch.py", import.meta.url));
    const { python, steps, modes } = options;
    const report = await againstPytorch(device, settings, effort, script, python, steps, modes);
    await printResult(
      terminal,
      options.json ? "-" : undefined,
      { device: device.adapter, ...report },
      pytorchTable(report),
    );
  },
});

if (import.meta.main) await main(benchPytorch);
