import { assertEquals } from "@std/assert";
import { helpText } from "../../cli/command/help.ts";

Deno.test("helpText aligns options, says what is assumed, wraps, and ends with the exit codes", () => {
  const text = helpText({
    name: "try",
    summary: "tries",
    options: {
      out: { kind: "path", required: true, value: "DIR", help: "folder to make" },
      metaLearningRate: { kind: "number", default: 0.1, help: "eta" },
      device: { kind: "choice", of: ["auto", "wasm"], default: "auto", help: "where" },
      preset: {
        kind: "choice",
        of: ["vit_tiny_patch16_224", "vit_base_patch16_224"],
        default: "vit_tiny_patch16_224",
        help: "size of the model, which decides how much memory and time the training takes",
      },
      inputs: { kind: "list", of: ["a", "b"], default: ["a", "b"], help: "rows" },
      aVeryLongNameThatNobodyWillType: { kind: "integer", help: "a number" },
      scaled: { kind: "flag", default: true, help: "Eq. 6" },
      resume: { kind: "flag", help: "go on" },
      json: { kind: "json", help: "for machines" },
    },
    examples: ["deno task try --out here"],
  });
  assertEquals(
    text,
    `deno task try: tries

  --out DIR               folder to make (required)
  --meta-learning-rate N  eta (default 0.1)
  --device auto|wasm      where (default auto)
  --preset NAME           size of the model, which decides how much memory and time the training
                          takes: vit_tiny_patch16_224, vit_base_patch16_224 (default
                          vit_tiny_patch16_224)
  --inputs A,B,..         rows: a, b (default all)
  --a-very-long-name-that-nobody-will-type N
                          a number
  --scaled, --no-scaled   Eq. 6 (on)
  --resume                go on
  --json [FILE]           for machines
  --help                  prints this text
  --version               prints Lethe's version

Examples:
  deno task try --out here

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 audit failed, 130 interrupted.`,
  );
});
