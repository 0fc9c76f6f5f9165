/** What `--sandbox` takes. */
export const SANDBOX_CHOICES = ["auto", "os", "deno"] as const;
/** One of {@link SANDBOX_CHOICES}. */
export type SandboxChoice = typeof SANDBOX_CHOICES[number];
