/** How a layer of the proof came out. `absent` is not `held`: nothing was shown. */
export type LayerState = "held" | "failed" | "absent";

/** What one layer of the proof shows of a run (.github/ARCHITECTURE.md, section 5). */
export interface LayerOutcome {
  /** Its name, the same in every run: `inputs`, `reader`, `permissions`, `module graph`, .. */
  readonly layer: string;
  readonly state: LayerState;
  /** One line: what was held against what, what broke it, or why it is absent. */
  readonly detail: string;
}
