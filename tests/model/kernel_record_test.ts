import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { parseKernelChoice } from "../../lib/model/kernel_record.ts";

const CHOICE = { adapter: "WebGPU, a card", products: { "1 x [8,4] [4,2]": "a kernel" } };

Deno.test("parseKernelChoice reads what was recorded, unknown kernels too", () => {
  assertEquals(parseKernelChoice(JSON.stringify(CHOICE), "model.safetensors"), CHOICE);
});

Deno.test("parseKernelChoice names the file and what is wrong with the record", () => {
  const broken = [
    "[]",
    "{",
    JSON.stringify({ ...CHOICE, more: 1 }),
    JSON.stringify({ adapter: "a\nb", products: {} }),
    JSON.stringify({ adapter: "a", products: { x: 1 } }),
    JSON.stringify({ adapter: "a", products: { x: "\u001b[2J" } }),
    JSON.stringify({ adapter: "a" }),
  ];
  for (const text of broken) {
    assertThrows(
      () => parseKernelChoice(text, "m.safetensors"),
      LetheError,
      "m.safetensors, metadata kernels",
      text,
    );
  }
});
