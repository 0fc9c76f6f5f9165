import { assertEquals } from "@std/assert";
import { type Line, rowsOf } from "../../.github/card/rows.ts";

/** What a line prints: notes, then JSON. */
function printed(value: unknown, seconds = 3): Line {
  return { exit: 0, seconds, text: `device: WebGPU, A card\n${JSON.stringify(value, null, 1)}\n` };
}

const step = (name: string, median: number, ours = 1) => ({
  ...{ step: name, mode: "fp32", ratio: { median } },
  bytes: { ours: ours * 2 ** 30, pytorch: 4 * 2 ** 30 },
});

Deno.test("rowsOf tells what was measured against what must be, row by row", () => {
  const rows = rowsOf(
    new Map<string, Line>([
      [
        "small",
        printed({ steps: [step("training", 2.5), step("evaluation", 0.2), step("meta", 6)] }),
      ],
      ["base_meta", printed({ steps: [step("meta", 0.25, 1)] })],
      ["report", printed({ card: [{ name: "unlearning", wall: 3.74 }] })],
      [
        "products",
        printed({
          kernels: [
            { shape: "[6304,768] [3072,768]T + [3072]", unit: "GFLOP/s", rate: 24_000 },
            { shape: "[6304,3072] [768,3072]T", unit: "GFLOP/s", rate: 31_000 },
            { shape: "[6304,768] [2304,768]T", unit: "GFLOP/s", rate: 99_000 },
          ],
        }),
      ],
      ["demo_a", { exit: 0, seconds: 19, text: "" }],
      ["metaunlearn", { exit: 124, seconds: 25, text: "" }],
      ["input", { exit: 0, seconds: 9, text: "waited for input 9.0 %\nwaited for input 4.5 %\n" }],
      ["selfcheck", printed({ passed: true })],
      ["half", printed({ passed: false })],
      ["tests", {
        exit: 1,
        seconds: 88,
        text: "\x1b[31mFAILED\x1b[0m | 650 passed | 2 failed (88s)\n",
      }],
      [
        "same",
        {
          text: "900 files\nFiles a/kit/kit.json and b/kit/kit.json differ\n" +
            "Files a/model/model.safetensors and b/model/model.safetensors differ\n",
        },
      ],
    ]),
  );
  const told = Object.fromEntries(rows.map(({ row, measured, met }) => [row, [measured, met]]));
  assertEquals(told, {
    "small ViT, batch 32: training, against PyTorch eager fp32": ["2.50 times faster", true],
    "evaluation, batch 32": ["5.00 times slower", false],
    "evaluation, batch 256": ["not measured", null],
    "meta step 8 + 32 + 32, against double backward": ["6.00 times faster", true],
    "unlearning of 8 people, the step alone": ["3.74 ms", true],
    "ViT-B/16, batch 32: training, against eager fp32": ["not measured", null],
    "ViT-B/16, meta step 20 + 32 + 32, against double backward fp32": ["4.00 times slower", false],
    "its memory": ["1024 of PyTorch's 4096 MiB", true],
    "product 6304x3072x768": ["31.0 TFLOP/s", true],
    "demo --device webgpu": ["19 s", true],
    "demo --method metaunlearn": ["not measured", null],
    "kernel measuring, ViT-B/16": ["not measured", null],
    "training of the small preset waits for input": ["4.5 %", true],
    "selfcheck, float32": ["passes", true],
    "selfcheck, half precision": ["fails", false],
    "LETHE_REQUIRE_GPU=1 deno task test, a lost device included": [
      "650 passed, 2 failed, 88 s",
      false,
    ],
    "two demos end with the same bytes": ["2 differ, 1 beyond keys", false],
  });
});

Deno.test("rowsOf takes a line that was cut short for one that measured nothing", () => {
  for (const text of ["", 'device: WebGPU, A card\n{ "steps": [', "lethe: interrupted\n", "{}"]) {
    const rows = rowsOf(new Map(["small", "report", "tests"].map((line) => [line, { text }])));
    assertEquals(rows.filter(({ met }) => met !== null), []);
  }
});
