/**
 * How a layer of the proof, or a check of it, came out. `absent` is not `held`: nothing was shown. `near`
 * is a check's alone: what was shown is less than was asked for, and its line says what is missing.
 */
export type LayerState = "held" | "failed" | "absent" | "near";

/** The layers by name, in the order in which they are shown. A receipt lists these and no others. */
export const LAYERS = [
  ...[
    "inputs",
    "module graph",
    "descriptors",
    "reader",
    "permissions",
    "operating system",
  ] as const,
  ...["permission log", "system calls", "canaries", "copies"] as const,
] as const;

/** What one layer of the proof shows of a run (.github/ARCHITECTURE.md, section 5). */
export interface LayerOutcome {
  /** Its name: of a run's layers one of {@link LAYERS}, of a verification's what was checked. */
  readonly layer: string;
  /** How it came out. */
  readonly state: LayerState;
  /** One line: what was held against what, what broke it, or why it is absent. */
  readonly detail: string;
}
