/**
 * The proof: unlearning behind walls, receipts, and their verification.
 *
 * @module
 */

export * from "./layers/layer.ts";
export * from "./receipt/receipt.ts";
export * from "./receipt/receipt_file.ts";
export * from "./receipt/signing_key.ts";
export * from "./receipt/unlearn_with_receipt.ts";
export * from "./sandbox/contained_run.ts";
export * from "./sandbox/unlearn_contained.ts";
export * from "./verify/verify_receipt.ts";
