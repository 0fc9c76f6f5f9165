/** How two losses are compared: smooth L1 with beta 1 (Table 8a) or the squared difference (Eq. 5). */
export type Distance = "smooth_l1" | "l2";
/** Which terms of Eq. 5/6 count (Table 5). */
export type Terms = "both" | "first" | "second";

/** The form of the auxiliary objective A. */
export interface AuxiliaryForm {
  readonly distance: Distance;
  readonly terms: Terms;
  /** Eq. 6: each loss is scaled by 1 - mAP (or 1 - accuracy) of its own batch. False: Eq. 5. */
  readonly scaled: boolean;
}

/** A batch's task loss and metric (mAP or accuracy, a fraction). */
export interface Measured {
  readonly loss: number;
  readonly metric: number;
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
