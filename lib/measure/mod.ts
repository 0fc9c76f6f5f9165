/**
 * The paper's measures: mAP and accuracy, Tug-of-War (Eq. 7), RMIA (Eq. 9), the verdict.
 *
 * @module
 */

export * from "./accuracy.ts";
export * from "./average_precision.ts";
export * from "./bootstrap.ts";
export * from "./eq7_tug_of_war.ts";
export * from "./eq9_rmia.ts";
export * from "./evaluation.ts";
export * from "./feature_distance.ts";
export * from "./loss.ts";
export * from "./membership.ts";
export * from "./people.ts";
export * from "./roc.ts";
export * from "./verdict.ts";
