/**
 * The device, ops with forward, backward and tangent, weights and optimisers.
 *
 * @module
 */

export * from "./algebra.ts";
export * from "./choices.ts";
export * from "./device.ts";
export * from "./mat_mul.ts";
export * from "./op.ts";
export * from "./op_table.ts";
export * from "./optimisers/adamw.ts";
export * from "./optimisers/optimiser.ts";
export * from "./optimisers/sgd.ts";
export * from "./precision.ts";
export * from "./schedule.ts";
export * from "./weights.ts";
