import { assertEquals } from "@std/assert";
import { printUnlearned } from "../../cli/unlearn/print_unlearned.ts";
import { sealReceipt } from "../../lib/audit/receipt/seal.ts";
import type { UnlearnSummary } from "../../lib/run/unlearn_summary.ts";
import { hash, smallReceipt } from "../audit/small_receipt.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

Deno.test("printUnlearned tells a method with its settings, and one without any by its name alone", async () => {
  const receipt = await sealReceipt(smallReceipt(), null);
  const summary: UnlearnSummary = {
    people: 1,
    photographs: 1,
    method: "memory",
    steps: [{ people: 1 }],
    settings: {},
    staleStatistics: false,
    change: { relative: 0.1, norms: {}, unusual: null },
    targets: "the model's own predictions",
    device: "wasm",
    kit: { before: hash("a"), after: hash("b") },
    weights: { before: hash("c"), after: hash("d") },
  };
  const method = (of: UnlearnSummary) => {
    const terminal = recordedTerminal();
    printUnlearned({ out: "out", kit: "kit", support: "in" }, { summary: of, receipt }, terminal);
    return terminal.printed.filter((line) => line.startsWith("method:"));
  };
  assertEquals(method(summary), ["method: memory"]);
  const jit = { ...summary, method: "jit", settings: { noise: 2, draws: 3 } } as const;
  assertEquals(method(jit), ["method: jit (noise 2, draws 3)"]);
});
