import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { sha256Hex } from "../../lib/data/sha256.ts";
import { DEVICE, done, runTask, taskCommand, type TaskName } from "./run_task.ts";
import { META_LEARN, smallModel, TRAIN, tree } from "./small_path.ts";

/** Starts a task, waits until it has saved an epoch to `state`, and kills it. */
async function killAfterFirstEpoch(
  name: TaskName,
  args: readonly string[],
  folder: string,
  state: string,
): Promise<void> {
  const child = taskCommand(name, args, folder).spawn();
  const ended = child.output();
  while (await Deno.lstat(join(folder, state)).catch(() => null) === null) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill("SIGKILL");
  assertEquals((await ended).signal, "SIGKILL", "it was still at work");
}

/** SHA-256 of a folder's files by name. */
async function hashes(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await tree(folder)) {
    files.set(name, sha256Hex(await Deno.readFile(join(folder, name))));
  }
  return files;
}

Deno.test("train killed after an epoch goes on to the bytes of a run that was not", async () => {
  const folder = await smallModel();
  const run = (out: string, seed = 0) => [
    ...[...TRAIN, ...DEVICE, "--epochs", "3", "--seed", String(seed)],
    ...["--out", out],
  ];
  await done("train", run("whole"), folder);
  await killAfterFirstEpoch("train", run("stopped"), folder, "stopped.training");
  await assertRejects(() => Deno.lstat(join(folder, "stopped")), Deno.errors.NotFound);

  const other = await runTask("train", run("stopped", 1), folder);
  assertEquals(other.code, 1, "another seed's run does not go on from there");
  assertMatch(other.err, /lethe: stopped\.training [^\n]+\n$/);

  await done("train", run("stopped"), folder);
  assertEquals(await hashes(join(folder, "stopped")), await hashes(join(folder, "whole")));
  await assertRejects(() => Deno.lstat(join(folder, "stopped.training")), Deno.errors.NotFound);
});

Deno.test("meta-learn killed after an epoch goes on to the bytes of a run that was not", async () => {
  const folder = await smallModel();
  await Deno.writeTextFile(join(folder, "key"), "0123456789abcdef".repeat(4) + "\n");
  // With every part of the state that a run can have: step sizes, a best epoch, the keep term.
  const run = (out: string) => [
    ...[...META_LEARN, ...DEVICE, "--request-size", "4"],
    ..."--epochs 2 --step-sizes learned --hold-out 0.3 --keep retain --identity-key key".split(" "),
    ...["--out", out],
  ];
  await done("meta-learn", run("whole-kit"), folder);
  await killAfterFirstEpoch("meta-learn", run("stopped-kit"), folder, "stopped-kit.meta-learning");
  await assertRejects(() => Deno.lstat(join(folder, "stopped-kit")), Deno.errors.NotFound);
  await done("meta-learn", run("stopped-kit"), folder);
  const [whole, stopped] = [join(folder, "whole-kit"), join(folder, "stopped-kit")];
  assertEquals(await hashes(stopped), await hashes(whole));
  assertEquals((await tree(whole)).includes("step_sizes.safetensors"), true);
  const state = join(folder, "stopped-kit.meta-learning");
  await assertRejects(() => Deno.lstat(state), Deno.errors.NotFound);
});
