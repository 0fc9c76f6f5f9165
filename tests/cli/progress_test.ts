import { assertEquals } from "@std/assert";
import { duration, progress } from "../../cli/progress.ts";
import type { Terminal } from "../../cli/terminal.ts";

/** A terminal with a clock that the test winds. */
function clocked(interactive: boolean) {
  const state = { now: 0, notes: [] as string[], rewrites: [] as string[] };
  const terminal: Terminal = {
    interactive,
    print() {},
    note: (line) => void state.notes.push(line),
    rewrite: (line) => void state.rewrites.push(line),
    now: () => state.now,
  };
  return { state, terminal };
}

Deno.test("progress gives rate and time left, and a last line that stays", () => {
  const { state, terminal } = clocked(true);
  const show = progress(terminal);
  const event = { stage: "train", total: 300, unit: "images" };
  show({ ...event, done: 0 });
  state.now = 2000;
  show({ ...event, done: 100, note: "epoch 1/3" });
  assertEquals(state.rewrites, ["train: 100/300 images, 50 images/s, 4 s left; epoch 1/3"]);
  state.now = 6000;
  show({ ...event, done: 300 });
  assertEquals(state.notes, ["train: 300 images in 6 s (50/s)"]);
});

Deno.test("progress prints plain lines at most every ten seconds where nothing can be rewritten", () => {
  const { state, terminal } = clocked(false);
  const show = progress(terminal);
  for (let second = 0; second <= 30; second++) {
    state.now = second * 1000;
    show({ stage: "load", done: second, total: 30, unit: "images" });
  }
  assertEquals(state.rewrites, []);
  assertEquals(state.notes.length, 3);
});

Deno.test("progress starts its clock anew for each stage", () => {
  const { state, terminal } = clocked(true);
  const show = progress(terminal);
  show({ stage: "a", done: 0, total: 10, unit: "x" });
  state.now = 50_000;
  show({ stage: "b", done: 0, total: 10, unit: "x" });
  state.now = 51_000;
  show({ stage: "b", done: 10, total: 10, unit: "x" });
  assertEquals(state.notes, ["b: 10 x in 1 s (10/s)"]);
});

Deno.test("progress writes JSON lines for machines", () => {
  const { state, terminal } = clocked(false);
  progress(terminal, true)({ stage: "a", done: 5, total: 5, unit: "x" });
  assertEquals(JSON.parse(state.notes[0]), { stage: "a", done: 5, total: 5, unit: "x", rate: 0 });
});

Deno.test("duration speaks in the two largest units", () => {
  assertEquals([8, 200, 7500].map(duration), ["8 s", "3 min 20 s", "2 h 5 min"]);
});
