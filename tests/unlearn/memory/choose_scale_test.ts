import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { chooseScale } from "../../../lib/unlearn/memory/choose_scale.ts";

Deno.test("chooseScale finds the best scale wherever it lies, never at the edge of its grid", async () => {
  for (const peak of [0.05, 0.4, 1, 2.2, 30]) {
    const { best, trials } = await chooseScale((scale) =>
      Promise.resolve({ tugOfWar: 1 - Math.abs(Math.log(scale / peak)), lost: 0 })
    );
    assertAlmostEquals(Math.log(best.scale / peak), 0, Math.log(1.5) / 4 + 1e-9);
    assertEquals(trials[0].scale < best.scale && best.scale < trials.at(-1)!.scale, true);
  }
});

Deno.test("chooseScale finds the same scale wherever it begins, sooner when it begins near", async () => {
  const from = (near: number) =>
    chooseScale(
      (scale) =>
        Promise.resolve({ tugOfWar: 1 - Math.abs(Math.log(scale / 4)), lost: 0.01 * scale }),
      0.1,
      near,
    );
  const [far, close, beyond] = [await from(1), await from(3.5), await from(60)];
  for (const { best } of [close, beyond]) {
    assertAlmostEquals(best.scale, far.best.scale, 1e-9);
  }
  assert(close.trials.length < far.trials.length);
});

Deno.test("chooseScale ends where rows that do only harm are best scaled to nothing", async () => {
  const { best } = await chooseScale((scale) => Promise.resolve({ tugOfWar: 1 - scale, lost: 0 }));
  assertEquals(best.scale <= 1 / 64, true);
});

Deno.test("chooseScale takes the best scale at which people who stay lose no more than the limit", async () => {
  for (const limit of [0.02, 0.3]) {
    const { best, trials } = await chooseScale(
      (scale) =>
        Promise.resolve({ tugOfWar: 1 - Math.abs(Math.log(scale / 3)), lost: 0.1 * scale }),
      limit,
    );
    assert(best.lost <= limit);
    // Within a twentieth of what it may cost, or of what is best without a limit.
    assert(best.lost > 0.94 * limit || best.scale > 2.5);
    for (const { lost, tugOfWar } of trials) assert(lost > limit || tugOfWar <= best.tugOfWar);
  }
});

Deno.test("chooseScale takes the least scale where people who stay always lose too much", async () => {
  const { best, trials } = await chooseScale(
    () => Promise.resolve({ tugOfWar: 0.9, lost: 0.5 }),
    0.1,
  );
  assertEquals(best.scale, trials[0].scale);
  assertEquals(best.scale <= 1 / 64, true);
});
