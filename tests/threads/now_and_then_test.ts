import { assert, assertEquals } from "@std/assert";
import { nowAndThen } from "../../lib/threads/now_and_then.ts";

Deno.test("nowAndThen takes a twentieth of the time, however many steps there are and however long the work grows", async () => {
  for (const steps of [10, 100, 1000, 10_000]) {
    let [now, inWork, times, done] = [0, 0, 0, 0];
    const save = nowAndThen(() => {
      // Ten milliseconds for each step that is written down.
      [now, inWork, times] = [now + 10 * done, inWork + 10 * done, times + 1];
      return Promise.resolve();
    }, () => now);
    for (; done < steps;) {
      now += 1000;
      done++;
      await save();
    }
    const last = 10 * done;
    assert(inWork <= (now - inWork) / 20 + last, `${inWork} of ${now} ms for ${steps} steps`);
    // And yet it is done: the first time at once.
    assert(times >= 3, `${times} times in ${steps} steps`);
  }
});

Deno.test("nowAndThen does quick work after each step", async () => {
  let [now, times] = [0, 0];
  const save = nowAndThen(() => Promise.resolve(times++), () => now);
  for (let step = 0; step < 5; step++) {
    now += 1;
    await save();
  }
  assertEquals(times, 5);
});
