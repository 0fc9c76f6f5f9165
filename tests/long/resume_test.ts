import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { Random } from "../../lib/random.ts";
import { done, killOnce, runTask, taskCommand, type TaskName } from "../e2e/run_task.ts";
import { META_LEARN, names, smallModel, TRAIN, tree } from "../e2e/small_path.ts";

// WASM starts at once, so that kills fall upon the work and not upon the compiling of kernels.
const DEVICE = ["--device", "wasm"];

/**
 * Runs a task to its end again and again, killing it ten times at random moments of as much time as an
 * undisturbed run takes. What it ends with each time is held against `whole`.
 *
 * @returns how often it ended
 */
async function killTenTimes(
  name: TaskName,
  args: readonly string[],
  folder: string,
  whole: string,
): Promise<number> {
  const begun = performance.now();
  await done(name, [...args, "--out", whole], folder);
  const duration = performance.now() - begun;
  const expected = await hashes(join(folder, whole));
  const random = new Random(0, name);
  const out = "killed";
  for (let [kills, ends] = [0, 0];;) {
    const child = taskCommand(name, [...args, "--out", out], folder).spawn();
    const moment = kills < 10 ? random.uniform() * duration : 2 ** 31 - 1;
    const timer = setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended just before.
      }
    }, moment);
    const { code, signal, stderr } = await child.output();
    clearTimeout(timer);
    const killed = signal === "SIGKILL";
    if (killed) kills++;
    else assertEquals(code, 0, new TextDecoder().decode(stderr));
    const left = names(folder);
    // It may have been killed when its output was whole already.
    if (killed && !left.includes(out)) continue;
    assertEquals(await hashes(join(folder, out)), expected);
    const beside = name === "meta-learn" ? [`${out}.history.svg`] : [];
    const own = left.filter((name) => name.includes("killed"));
    if (!killed) assertEquals(own, [out, ...beside], "nothing else is left");
    for (const made of [out, ...beside].filter((name) => left.includes(name))) {
      await Deno.remove(join(folder, made), { recursive: true });
    }
    ends++;
    if (kills === 10 && !killed) return ends;
  }
}

/** SHA-256 of a folder's files by name. */
async function hashes(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await tree(folder)) {
    files.set(name, sha256Hex(await Deno.readFile(join(folder, name))));
  }
  return files;
}

Deno.test("train goes on after a kill, but not as another seed's run", async () => {
  const folder = await smallModel();
  const run = (seed: number) => [
    ...[...TRAIN, ...DEVICE, "--epochs", "3", "--seed", String(seed)],
    ...["--out", "stopped"],
  ];
  await killOnce(
    "train",
    run(0),
    folder,
    () => Deno.lstat(join(folder, "stopped.training")).then(() => true, () => false),
  );
  await assertRejects(() => Deno.lstat(join(folder, "stopped")), Deno.errors.NotFound);

  const other = await runTask("train", run(1), folder);
  assertEquals(other.code, 1);
  assertMatch(other.err, /lethe: stopped\.training [^\n]+\n$/);

  await done("train", run(0), folder);
  await assertRejects(() => Deno.lstat(join(folder, "stopped.training")), Deno.errors.NotFound);
});

Deno.test("train killed ten times ends with the bytes of a run that was not", async () => {
  const folder = await smallModel();
  await killTenTimes("train", [...TRAIN, ...DEVICE, "--epochs", "4"], folder, "whole");
});

Deno.test("meta-learn killed ten times ends with the bytes of a run that was not", async () => {
  const folder = await smallModel();
  await Deno.writeTextFile(join(folder, "key"), "0123456789abcdef".repeat(4) + "\n");
  // With every part of the state that a run can have: step sizes, a best epoch, the keep term.
  const run = [
    ...[...META_LEARN, ...DEVICE, "--request-size", "4"],
    ..."--epochs 2 --step-sizes learned --hold-out 0.3 --keep retain --identity-key key".split(" "),
  ];
  await killTenTimes("meta-learn", run, folder, "whole-kit");
  assertEquals((await tree(join(folder, "whole-kit"))).includes("step_sizes.safetensors"), true);
});
