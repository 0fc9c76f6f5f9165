import { fromFileUrl } from "@std/path";
import { command, main } from "../cli/command/command.ts";
import { printResult } from "../cli/output/print_result.ts";
import { DEVICE, openAndAnnounce, PRECISION } from "../cli/options/shared_options.ts";
import { table } from "../cli/output/table.ts";
import { readGolden } from "../lib/selfcheck/golden.ts";
import { ABSOLUTE_TOLERANCE } from "../lib/selfcheck/compare_golden.ts";
import { selfcheck as check } from "../lib/selfcheck/selfcheck.ts";

/** `deno task selfcheck`: does this adapter compute what PyTorch computed? */
export const selfcheck = command({
  name: "selfcheck",
  summary: "recomputes PyTorch's golden numbers on this adapter and prints the largest errors",
  options: {
    golden: {
      kind: "path",
      takes: "golden numbers",
      value: "DIR",
      help: "folder of golden numbers (fixtures/golden)",
    },
    // A switch, not --json FILE: this task has no right to write.
    json: { kind: "flag", help: "print JSON instead of a table" },
    device: DEVICE,
    precision: PRECISION,
  },
  examples: ["deno task selfcheck", "deno task selfcheck --device wasm --json"],
  async run({ golden, json, device: choice, precision }, terminal) {
    const folder = golden ?? fromFileUrl(new URL("../fixtures/golden", import.meta.url));
    const numbers = await readGolden(folder);
    const device = await openAndAnnounce(choice, terminal, precision);
    const groups = await check(numbers);
    const failed = groups.flatMap((group) => group.failed);
    const rows = groups.map((group) => [
      group.name,
      String(group.tensors),
      group.relativeError.toExponential(1),
      String(Number(group.tolerance.toPrecision(2))),
      (group.failed.length === 0 ? "ok" : `${group.failed.length} FAILED`) +
      (group.onEdge ? `, ${group.onEdge} elements on the edge left out` : ""),
    ]);
    await printResult(
      terminal,
      json ? "-" : undefined,
      { device: device.adapter, precision, passed: failed.length === 0, groups },
      table(["group", "tensors", "largest error", "allowed", ""], rows),
    );
    if (failed.length === 0) return 0;
    terminal.note(
      `${failed.join(", ")}: further from the golden numbers than is allowed of the ` +
        `largest magnitude (or ${ABSOLUTE_TOLERANCE}); this adapter or its driver computes wrong`,
    );
    return 1;
  },
});

if (import.meta.main) await main(selfcheck);
