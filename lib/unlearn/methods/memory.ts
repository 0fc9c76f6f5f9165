import { type Method, needed } from "./method.ts";

/** What the kit remembers of each person is taken out of the weights. */
export const memory: Method<"memory", never> = {
  name: "memory",
  title: "Memory",
  source:
    "this project: rows of what the model memorised of each person (lib/unlearn/memory/README.md)",
  needs: ["memory"],
  // None: rows are kept at the scale that was chosen on held-out people.
  settings: {},
  published: [],
  candidates: [],
  async run({ theta, memory }) {
    const { subtractRows } = await import("../memory/row_step.ts");
    return { theta: subtractRows(theta, needed(memory, "the requested people's rows")) };
  },
};
