import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  type AuxiliaryForm,
  auxiliaryObjective,
  distance,
  keepObjective,
  labelObjective,
  type Measured,
} from "../../../lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";

const DISTANCES = ["smooth_l1", "l2"] as const;
const TERMS = ["both", "first", "second"] as const;
const FORMS: AuxiliaryForm[] = DISTANCES.flatMap((distance) =>
  TERMS.flatMap((terms) =>
    [true, false].map((scaled) => ({ distance, terms, scaled, align: "mean" as const }))
  )
);
const title = ({ distance, terms, scaled }: AuxiliaryForm) =>
  `${distance}, ${terms} term${terms === "both" ? "s" : ""}, ${scaled ? "scaled" : "plain"}`;

const measured = (metric: number, labelLosses: number[]): Measured => ({
  metric,
  labelLosses,
  loss: labelLosses.reduce((a, b) => a + b) / labelLosses.length,
});

/** Gaps below and above 1, where smooth L1 changes from a parabola to a line; of either sign. */
const CASES = [
  {
    forget: measured(0.9, [0.2, 0.6, 0.4]),
    unlearned: measured(0.3, [0.7, 1.1, 0.6]),
    original: measured(0.5, [0.3, 0.9, 0.9]),
  },
  {
    forget: measured(0.1, [4, 0.5, 6]),
    unlearned: measured(0.6, [0.4, 2.2, 1]),
    original: measured(0.2, [1.3, 1.1, 0.3]),
  },
  {
    forget: measured(0, [0.1, 0.1, 0.1]),
    unlearned: measured(0, [2.5, 3, 2]),
    original: measured(0.9, [5, 3, 4]),
  },
];

/** PyTorch's smooth_l1_loss with beta 1, or the squared error. */
const d = (kind: AuxiliaryForm["distance"], a: number, b: number) =>
  kind === "l2" ? (a - b) ** 2 : Math.abs(a - b) < 1 ? 0.5 * (a - b) ** 2 : Math.abs(a - b) - 0.5;

/** Eq. 5 and 6 as they are printed, of losses l and metrics m. */
function printed(
  { distance, terms, scaled }: AuxiliaryForm,
  l: { forget: number; unlearned: number; original: number },
  { forget, unlearned, original }: typeof CASES[number],
): number {
  const [f, v, o] = scaled
    ? [1 - forget.metric, 1 - unlearned.metric, 1 - original.metric]
    : [1, 1, 1];
  const first = d(distance, f * l.forget, v * l.unlearned);
  const second = d(distance, f * l.forget, o * l.original);
  return terms === "both" ? first + second : terms === "first" ? first : second;
}

/** Rounding of float64 differences over a step of 2e-6; every form is a polynomial around its point. */
const STEP = 1e-6;
const TOLERANCE = 1e-8;

for (const form of FORMS) {
  Deno.test(`auxiliaryObjective (${title(form)}) is Eq. 5 or 6 and its slope`, () => {
    for (const one of CASES) {
      const l = {
        forget: one.forget.loss,
        unlearned: one.unlearned.loss,
        original: one.original.loss,
      };
      const { value, slope } = auxiliaryObjective(form, one.forget, one.unlearned, one.original);
      assertAlmostEquals(value, printed(form, l, one), 1e-12);
      // Only the forget loss moves: validation losses and scales are constants.
      const at = (forget: number) => printed(form, { ...l, forget }, one);
      const numeric = (at(l.forget + STEP) - at(l.forget - STEP)) / (2 * STEP);
      assertAlmostEquals(slope, numeric, TOLERANCE);
    }
  });

  Deno.test(`labelObjective (${title(form)}) is the mean over labels, each with its slope`, () => {
    for (const one of CASES) {
      const of = (losses: readonly number[]) =>
        losses.reduce((sum, forget, i) => {
          const l = {
            forget,
            unlearned: one.unlearned.labelLosses![i],
            original: one.original.labelLosses![i],
          };
          return sum + printed(form, l, one) / losses.length;
        }, 0);
      const losses = [...one.forget.labelLosses as number[]];
      const { value, slopes } = labelObjective(form, one.forget, one.unlearned, one.original);
      assertAlmostEquals(value, of(losses), 1e-12);
      assertEquals(slopes.length, 3);
      slopes.forEach((slope, i) => {
        const at = (move: number) => of(losses.map((x, k) => k === i ? x + move : x));
        assertAlmostEquals(slope, (at(STEP) - at(-STEP)) / (2 * STEP), TOLERANCE);
      });
    }
  });
}

Deno.test("labelObjective sees what the mean hides: one label ruined, the others better", () => {
  const form: AuxiliaryForm = {
    distance: "smooth_l1",
    terms: "second",
    scaled: false,
    align: "labels",
  };
  const original = measured(0.5, [0.6, 0.6, 0.6]);
  const forget = measured(0.9, [1.4, 0.2, 0.2]);
  assertAlmostEquals(auxiliaryObjective(form, forget, null, original).value, 0, 1e-12);
  // (0.8^2 + 0.4^2 + 0.4^2) / 2 / 3
  assertAlmostEquals(labelObjective(form, forget, null, original).value, 0.16, 1e-12);
});

Deno.test("labelObjective is auxiliaryObjective where all labels have one loss", () => {
  const [forget, unlearned, original] = [0.3, 0.8, 2].map((x) => measured(0.4, [x, x, x]));
  for (const form of FORMS) {
    const mean = auxiliaryObjective(form, forget, unlearned, original);
    const labels = labelObjective(form, forget, unlearned, original);
    assertAlmostEquals(labels.value, mean.value, 1e-12);
    assertAlmostEquals(labels.slopes.reduce((a, b) => a + b), mean.slope, 1e-12);
  }
});

Deno.test("keepObjective is the distance of the plain losses, of their mean or label by label", () => {
  for (const kind of DISTANCES) {
    for (const { forget: now, original: before } of CASES) {
      // Scaled or not: the keep term is beyond Eq. 6 and never scaled.
      const form = { distance: kind, terms: "second", scaled: true } as const;
      const mean = keepObjective({ ...form, align: "mean" }, now, before);
      assertAlmostEquals(mean.value, d(kind, now.loss, before.loss), 1e-12);
      assertEquals(mean.slopes.length, 1);
      const at = (loss: number) => d(kind, loss, before.loss);
      const numeric = (at(now.loss + STEP) - at(now.loss - STEP)) / (2 * STEP);
      assertAlmostEquals(mean.slopes[0], numeric, TOLERANCE);

      const labels = keepObjective({ ...form, align: "labels" }, now, before);
      const [a, b] = [now.labelLosses!, before.labelLosses!];
      const of = (i: number, move = 0) => d(kind, a[i] + move, b[i]) / 3;
      assertAlmostEquals(labels.value, of(0) + of(1) + of(2), 1e-12);
      labels.slopes.forEach((slope, i) =>
        assertAlmostEquals(slope, (of(i, STEP) - of(i, -STEP)) / (2 * STEP), TOLERANCE)
      );
    }
  }
});

Deno.test("distance is smooth where smooth L1 turns from a parabola to a line", () => {
  for (const gap of [1, -1]) {
    const { value, slope } = distance("smooth_l1", gap, 0);
    assertEquals([value, slope], [0.5, gap]);
    assertAlmostEquals(distance("smooth_l1", gap * (1 - 1e-9), 0).value, 0.5, 1e-8);
  }
  assertEquals(distance("l2", 3, 3), { value: 0, slope: 0 });
});

Deno.test("auxiliaryObjective and labelObjective refuse to go on without what a form needs", () => {
  const [form] = FORMS;
  const one = measured(0.5, [1, 2]);
  assertThrows(() => auxiliaryObjective(form, one, null, one), TypeError, "the first term needs");
  const mean = { loss: 1, metric: 0.5 };
  assertThrows(() => labelObjective(form, mean, one, one), TypeError, "each label's loss");
  assertThrows(
    () => keepObjective({ ...form, align: "labels" }, mean, one),
    TypeError,
    "each label's loss",
  );
});
