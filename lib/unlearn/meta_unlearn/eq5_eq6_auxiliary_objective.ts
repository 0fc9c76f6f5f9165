/** How two losses are compared: smooth L1 with beta 1 (Table 8a) or the squared difference (Eq. 5). */
export type Distance = "smooth_l1" | "l2";
/** Which terms of Eq. 5/6 count, or SCRUB's loss in their place (Table 5). */
export const TERMS = ["both", "first", "second", "scrub"] as const;
/** One of {@link TERMS}. */
export type Terms = typeof TERMS[number];

/** The form of the auxiliary objective A. */
export interface AuxiliaryForm {
  /** d of Eq. 5. */
  readonly distance: Distance;
  /** Which terms of Eq. 6. */
  readonly terms: Terms;
  /** Eq. 6: each loss is scaled by 1 - mAP (or 1 - accuracy) of its own batch. False: Eq. 5. */
  readonly scaled: boolean;
  /**
   * `mean`: the mean task loss is aligned (the paper). `labels`, beyond the paper and for multi-label
   * tasks only: each label's loss is aligned, and A is the mean over labels. A mean can be met by
   * ruining one label and leaving all others as they were. `folds`, beyond the paper: what models say
   * that never saw the people takes the place of Eq. 5 and 6, A = KL(reference || f_theta_u) on Df.
   */
  readonly align: Align;
}

/** What is aligned: see {@link AuxiliaryForm}. */
export type Align = typeof ALIGN[number];
/** Every {@link Align}. */
export const ALIGN = ["mean", "labels", "folds"] as const;

/** A batch's task loss and metric (mAP or accuracy, a fraction). */
export interface Measured {
  readonly loss: number;
  readonly metric: number;
  /** Mean loss of each label over the batch; the mean of these is `loss`. Multi-label tasks only. */
  readonly labelLosses?: ArrayLike<number>;
}

/** d(a, b) and its derivative with respect to a. */
export function distance(kind: Distance, a: number, b: number): { value: number; slope: number } {
  const gap = a - b;
  if (kind === "l2") return { value: gap * gap, slope: 2 * gap };
  return Math.abs(gap) < 1
    ? { value: gap * gap / 2, slope: gap }
    : { value: Math.abs(gap) - 0.5, slope: Math.sign(gap) };
}

/**
 * A of one forget batch (Eq. 5, Eq. 6):
 * d(a_f L(Df; theta_u), a_v L(Dv; theta_u)) + d(a_f L(Df; theta_u), a_o L(Dv; theta)).
 * The scales and the validation losses are constants to differentiation.
 *
 * @returns `value` and `slope` = dA / dL(Df; theta_u)
 */
export function auxiliaryObjective(
  form: AuxiliaryForm,
  forget: Measured,
  valUnlearned: Measured | null,
  valOriginal: Measured,
): { value: number; slope: number } {
  const scale = (measured: Measured) => form.scaled ? 1 - measured.metric : 1;
  const own = scale(forget) * forget.loss;
  const against: Measured[] = [];
  if (form.terms !== "second") {
    if (valUnlearned === null) throw new TypeError("the first term needs L(Dv; theta_u)");
    against.push(valUnlearned);
  }
  if (form.terms !== "first") against.push(valOriginal);
  let value = 0;
  let slope = 0;
  for (const other of against) {
    const d = distance(form.distance, own, scale(other) * other.loss);
    value += d.value;
    slope += d.slope * scale(forget);
  }
  return { value, slope };
}

/**
 * A of one forget batch, label by label: the mean over labels of {@link auxiliaryObjective} on each
 * label's own losses; the scales stay the batch's.
 *
 * @returns `value` and `slopes`, dA / dL_label(Df; theta_u), one per label
 */
export function labelObjective(
  form: AuxiliaryForm,
  forget: Measured,
  valUnlearned: Measured | null,
  valOriginal: Measured,
): { value: number; slopes: Float64Array } {
  const labels = labelLossesOf(forget).length;
  const slopes = new Float64Array(labels);
  const of = (measured: Measured, label: number): Measured => ({
    loss: labelLossesOf(measured)[label],
    metric: measured.metric,
  });
  let value = 0;
  for (let label = 0; label < labels; label++) {
    const a = auxiliaryObjective(
      form,
      of(forget, label),
      valUnlearned && of(valUnlearned, label),
      of(valOriginal, label),
    );
    value += a.value / labels;
    slopes[label] = a.slope / labels;
  }
  return { value, slopes };
}

/**
 * The keep term of one batch K: d(L(K; theta_u), L(K; theta)), of the mean loss or label by label.
 *
 * @returns `value` and `slopes`: one for the mean loss, or one per label
 */
export function keepObjective(
  form: AuxiliaryForm,
  unlearned: Measured,
  original: Measured,
): { value: number; slopes: Float64Array } {
  const [now, before] = form.align === "labels"
    ? [labelLossesOf(unlearned), labelLossesOf(original)]
    : [[unlearned.loss], [original.loss]];
  const slopes = new Float64Array(now.length);
  let value = 0;
  for (let i = 0; i < now.length; i++) {
    const d = distance(form.distance, now[i], before[i]);
    value += d.value / now.length;
    slopes[i] = d.slope / now.length;
  }
  return { value, slopes };
}

function labelLossesOf({ labelLosses }: Measured): ArrayLike<number> {
  if (labelLosses) return labelLosses;
  throw new TypeError("aligning labels needs each label's loss");
}
