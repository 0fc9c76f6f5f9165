import { assertEquals } from "@std/assert";
import { duration, progress } from "../../cli/output/progress.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

Deno.test("progress rewrites one line with rate and time left, and leaves a last one", () => {
  const terminal = recordedTerminal(true);
  const show = progress(terminal);
  const event = { stage: "train", total: 300, unit: "images" };
  show({ ...event, done: 0 });
  terminal.at = 2000;
  show({ ...event, done: 100, note: "epoch 1/3" });
  assertEquals(terminal.rewritten, ["train  epoch 1/3  100/300 images  50 images/s  4 s left"]);
  terminal.at = 6000;
  show({ ...event, done: 300 });
  assertEquals(terminal.noted, ["train  300 images  50 images/s  in 6 s"]);
});

Deno.test("progress rewrites at most ten times a second", () => {
  const terminal = recordedTerminal(true);
  const show = progress(terminal);
  for (; terminal.at < 1000; terminal.at += 10) {
    show({ stage: "train", done: terminal.at, total: 5000, unit: "images" });
  }
  assertEquals(terminal.rewritten.length, 9);
});

Deno.test("progress prints plain lines every five seconds where nothing can be rewritten", () => {
  const terminal = recordedTerminal(false);
  const show = progress(terminal);
  for (let second = 0; second <= 12; second++) {
    terminal.at = second * 1000;
    show({ stage: "load", done: second, total: 12, unit: "images" });
  }
  assertEquals(terminal.rewritten, []);
  assertEquals(terminal.noted, [
    "load  5/12 images  1.0 images/s  7 s left",
    "load  10/12 images  1.0 images/s  2 s left",
    "load  12 images  1.0 images/s  in 12 s",
  ]);
});

Deno.test("progress starts clock and count anew for each stage, a resumed one midway", () => {
  const terminal = recordedTerminal(true);
  const show = progress(terminal);
  show({ stage: "a", done: 0, total: 10, unit: "x" });
  terminal.at = 50_000;
  show({ stage: "b", done: 6, total: 10, unit: "x" });
  terminal.at = 52_000;
  show({ stage: "b", done: 10, total: 10, unit: "x" });
  assertEquals(terminal.noted, ["b  10 x  2.0 x/s  in 2 s"]);
  show({ stage: "b", done: 10, total: 10, unit: "x" });
  assertEquals(terminal.noted[1], "b  10 x", "a stage that is over at once has no rate");
});

Deno.test("progress writes JSON lines for machines, on a terminal too", () => {
  for (const interactive of [true, false]) {
    const terminal = recordedTerminal(interactive);
    const show = progress(terminal, true);
    show({ stage: "a", done: 0, total: 5, unit: "x" });
    terminal.at = 3000;
    show({ stage: "a", done: 5, total: 5, unit: "x", note: "n" });
    assertEquals(terminal.rewritten, []);
    assertEquals(terminal.noted, [
      '{"stage":"a","done":5,"total":5,"unit":"x","note":"n","rate":1.67}',
    ]);
  }
});

Deno.test("duration speaks in the two largest units", () => {
  assertEquals([8, 59.6, 200, 3599.7, 7500].map(duration), [
    "8 s",
    "1 min 0 s",
    "3 min 20 s",
    "1 h 0 min",
    "2 h 5 min",
  ]);
});
