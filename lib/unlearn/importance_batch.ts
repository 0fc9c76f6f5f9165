/** Images whose mean loss an importance squares the gradient of (released code). */
export const IMPORTANCE_BATCH = 128;
