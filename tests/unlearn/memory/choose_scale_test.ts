import { assertAlmostEquals, assertEquals } from "@std/assert";
import { chooseScale } from "../../../lib/unlearn/memory/choose_scale.ts";

Deno.test("chooseScale finds the best scale wherever it lies, never at the edge of its grid", async () => {
  for (const peak of [0.05, 0.4, 1, 2.2, 30]) {
    const { best, trials } = await chooseScale((scale) =>
      Promise.resolve(1 - Math.abs(Math.log(scale / peak)))
    );
    assertAlmostEquals(Math.log(best.scale / peak), 0, Math.log(1.5) / 4 + 1e-9);
    assertEquals(trials[0].scale < best.scale && best.scale < trials.at(-1)!.scale, true);
  }
});

Deno.test("chooseScale ends where rows that do only harm are best scaled to nothing", async () => {
  const { best } = await chooseScale((scale) => Promise.resolve(1 - scale));
  assertEquals(best.scale <= 1 / 64, true);
});
