/**
 * Preloaded by `deno task test` and `deno task test-long`: a test that waits for ever fails by name
 * after its limit, in place of holding up all others. What only one test may take it says itself
 * (`timeout`).
 */

/** Minutes that a test may take: many times what the slowest needs on two busy cores. */
const LIMIT = { quick: 10, long: 20 } as const;

const test = Deno.test;
const minutes = Deno.mainModule.includes("/tests/long/") ? LIMIT.long : LIMIT.quick;

/** `Deno.test` in each of its forms, as a definition. */
function limited(...given: unknown[]): void {
  const definition: Record<string, unknown> = { timeout: minutes * 60_000 };
  for (const part of given) {
    if (typeof part === "string") definition.name = part;
    else if (typeof part === "function") {
      definition.name ??= part.name;
      definition.fn = part;
    } else Object.assign(definition, part);
  }
  test(definition as unknown as Deno.TestDefinition);
}

Object.assign(Deno, { test: Object.assign(limited, test) });
