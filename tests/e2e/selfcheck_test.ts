import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { encodeSafetensors } from "../../lib/model/encode_safetensors.ts";
import { parseSafetensors } from "../../lib/model/safetensors.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";
import { DEVICE, runTask } from "./run_task.ts";
import { copy } from "./small_path.ts";
import { temporaryFolder } from "../data/temporary_folder.ts";

const GOLDEN = fromFileUrl(new URL("../../fixtures/golden", import.meta.url));
const GROUPS = [
  ..."forward,task gradient,unlearned weights,auxiliary values".split(","),
  ...["smooth_l1", "l2"].flatMap((distance) =>
    ["scaled", "plain"].flatMap((scale) =>
      ["both", "first", "second"].map((terms) => `meta-gradient, ${distance}.${scale}.${terms}`)
    )
  ),
  ..."SSD,PGU,JiT,SCRUB,Bad Teacher,Influence,Reference tuning,Logged updates,Memory".split(","),
];

Deno.test("selfcheck passes on the golden numbers that come with Lethe", async () => {
  const { code, out, err } = await runTask("selfcheck", [...DEVICE, "--json"], Deno.cwd());
  assertEquals(code, 0, err);
  assertMatch(err, /^device: .+$/m);
  const { passed, groups } = JSON.parse(out);
  assertEquals([passed, groups.map(({ name }: { name: string }) => name)], [true, GROUPS]);
  for (const { name, relativeError, tensors } of groups) {
    const allowed = GROUPS.indexOf(name) < GROUPS.indexOf("SSD") ? 1e-4 : 1e-3;
    assertEquals([name, relativeError < allowed, tensors > 0], [name, true, true]);
  }
});

Deno.test("selfcheck exits 1 when one expected number is changed and names its group", async () => {
  const folder = await temporaryFolder();
  try {
    await copy(GOLDEN, join(folder, "golden"));
    const path = join(folder, "golden/expected.safetensors");
    const [tensor, group] = [
      "metagrad.l2.plain.first.output_block.1.weight",
      "meta-gradient, l2.plain.first",
    ];
    const { weights } = parseSafetensors(await Deno.readFile(path), path);
    const { values } = weights.get(tensor)!;
    values[0] += 2e-4 * Math.max(...[...values].map(Math.abs)); // twice what is let pass
    await Deno.writeFile(path, encodeSafetensors(weights));

    // What is judged, not what computes it, is the point.
    const args = ["--golden", "golden", "--device", "wasm"];
    const { code, out, err } = await runTask("selfcheck", args, folder);
    assertEquals(code, 1);
    const rows = out.trim().split("\n").slice(2).map((row) => row.split(/ {2,}/));
    assertEquals(
      rows.map(([name, , , , verdict]) => [name, verdict.split(",")[0]]),
      GROUPS.map((name) => [name, name === group ? "1 FAILED" : "ok"]),
    );
    assertMatch(err, new RegExp(`\n${tensor}: further from the golden numbers than [^\n]*\n$`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "selfcheck --precision half holds every group against a half's own bound",
  ),
  async fn() {
    const args = [...DEVICE, "--precision", "half", "--json"];
    const { code, out, err } = await runTask("selfcheck", args, Deno.cwd());
    assertEquals(code, 0, err);
    const { passed, precision, groups } = JSON.parse(out);
    assertEquals([passed, precision], [true, "half"]);
    for (const { name, relativeError, tolerance } of groups) {
      // Further off than float32 may be: halves were computed with.
      assertEquals([name, relativeError > 1e-4, tolerance < 0.01], [name, true, true]);
    }
    assertEquals(
      groups.map(({ name }: { name: string }) => name),
      GROUPS.slice(0, GROUPS.indexOf("SSD")),
    );
  },
});

Deno.test("selfcheck --precision half on WASM exits 2 and says what it needs", async () => {
  const args = ["--device", "wasm", "--precision", "half"];
  const { code, err } = await runTask("selfcheck", args, Deno.cwd());
  assertEquals(code, 2);
  assertMatch(err, /half precision on WASM; it needs WebGPU: leave out one of the two/);
});
