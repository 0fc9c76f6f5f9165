import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { TINY_GRID } from "../benchmark/tiny_grid.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { DEVICE, runTask, taskCommand, type TaskName } from "./run_task.ts";
import { DENO_WALLS } from "./kit_folder.ts";
import { inCopy, META_LEARN, names, smallModel, TRAIN } from "./small_path.ts";

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;

/** So many epochs that nothing but the signal ends a run. */
const ENDLESS = ["--epochs", "100000"];

/**
 * Starts a task, sends it a signal when its standard error says a thing, and waits for its end.
 *
 * @returns its exit code and all of standard error
 */
async function interrupted(
  name: TaskName,
  args: readonly string[],
  folder: string,
  signal: Deno.Signal,
  when: (said: string) => boolean | Promise<boolean>,
): Promise<{ code: number; out: string; err: string }> {
  const child = taskCommand(name, args, folder).spawn();
  const out = new Response(child.stdout).text();
  let [err, sent] = ["", false];
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let ended = false; !ended;) {
    const read = reader.read().then(({ value, done }) => {
      err += value ?? "";
      ended = done;
    });
    while (!sent && !await Promise.race([read.then(() => true), pause(20)])) {
      sent = await when(err);
      if (sent) kill(child, signal);
    }
    await read;
    if (!sent && !ended && await when(err)) {
      sent = true;
      kill(child, signal);
    }
  }
  const { code } = await child.status;
  return { code, out: await out, err };
}

/** Sends a signal to a process that may have ended. */
function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
}

const pause = (milliseconds: number) =>
  new Promise<false>((resolve) => setTimeout(() => resolve(false), milliseconds));

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

for (
  const { task, state, line } of [
    { task: "train", state: "stopped.training", line: TRAIN },
    {
      task: "meta-learn",
      state: "stopped.meta-learning",
      line: [...META_LEARN, "--request-size", "2", "--hold-out", "0.3", "--statistics", "none"],
    },
  ] as const
) {
  Deno.test(
    `${task} stops on every signal with its epochs kept and nothing else left, and says after which it goes on`,
    {
      ignore: Deno.build.os === "windows", // there one process can be sent no signal
    },
    async () => {
      const folder = await smallModel();
      const before = names(folder);
      const run = [...line, ...DEVICE, ...ENDLESS, "--out", "stopped"];
      let last = 0;
      for (const [signal, exitCode] of SIGNALS) {
        const goesOn = (said: string) =>
          Number(said.match(/goes on after epoch (\d+)\n/)?.[1] ?? 0);
        const stateTime = async () =>
          (await Deno.stat(join(folder, state)).catch(() => null))?.mtime?.getTime() ?? 0;
        const earlier = await stateTime();
        // In the midst of an epoch: one more has been saved, and the next one is under way.
        const { code, err } = await interrupted(
          task,
          run,
          folder,
          signal,
          async (said) => (last === 0 || goesOn(said) > 0) && await stateTime() > earlier,
        );
        assertEquals(code, exitCode, err);
        assertMatch(err, /\nlethe: interrupted(, finishing a file)?\nlethe: [^\n]*\n$/);
        assert(err.endsWith(`lethe: kept: ${state}; the same command goes on from there\n`), err);
        assertEquals(names(folder), [...before, state].sort(), signal);
        if (last > 0) assert(goesOn(err) >= last, err);
        last = Math.max(1, goesOn(err));
      }
      const other = await runTask(task, [...run, "--seed", "7"], folder);
      assertEquals(other.code, 1);
      assertMatch(
        other.err,
        /lethe: stopped\.[a-z-]+ is the state of another run: seed was 0 and is 7;/,
      );
      await Deno.remove(join(folder, state));
      assert(!await exists(join(folder, "stopped")));
    },
  );
}

Deno.test("benchmark leaves no half-made stage when it is interrupted", {
  ignore: Deno.build.os === "windows",
}, () =>
  inTemporaryFolder(async (folder) => {
    const grid = join(folder, "grid.json");
    await Deno.writeTextFile(grid, JSON.stringify(TINY_GRID));
    const args = ["--settings", grid, "--out", "grid", "--device", "wasm"];
    const stages = join(folder, "grid/stages");
    const half = () => names(stages).filter((name) => name.endsWith(".part"));
    // Pictures are drawn into one for a while.
    const { code, err } = await interrupted("benchmark", args, folder, "SIGTERM", async () =>
      await exists(stages) && half().length > 0);
    assertEquals([code, half()], [143, []]);
    assertMatch(
      err,
      /\nlethe: (?:nothing is kept: |kept: grid\/stages; )the same command [^\n]+\n$/,
    );
  }));

Deno.test(
  "train and evaluate say that nothing is kept where they are interrupted before anything is",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const folder = await smallModel();
    const before = names(folder);
    const evaluate = "--model model --split split.json --data portraits --device wasm".split(" ");
    for (
      const [task, args] of [
        ["train", [...TRAIN, "--device", "wasm", ...ENDLESS, "--out", "early"]],
        ["evaluate", evaluate],
      ] as const
    ) {
      const { code, err } = await interrupted(
        task,
        args,
        folder,
        "SIGINT",
        (said) => said.includes("device: "),
      );
      assertEquals(code, 130);
      // Small as it is, an epoch may have been saved before the signal came.
      const saved = await exists(join(folder, "early.training"));
      const line = saved
        ? "kept: early.training; the same command goes on from there"
        : "nothing is kept: the same command begins anew";
      assert(err.endsWith(`\nlethe: ${line}\n`), err);
      assertEquals(names(folder), saved ? [...before, "early.training"].sort() : before);
      if (saved) await Deno.remove(join(folder, "early.training"));
    }
  },
);

/** Commands, what they make, and the last line of what they say when it is made. */
const MAKING: readonly [TaskName, readonly string[], string][] = [
  ["train", [...TRAIN, "--device", "wasm", "--epochs", "1"], "late: epoch 1 of 1 "],
  ["split", "--dataset celeba --data portraits --forget 2".split(" "), "support "],
  ["portraits", "--identities 2 --images-per-identity 2 --size 16".split(" "), "late: 2 people"],
  [
    "unlearn",
    ["--support", "requests", "--kit", "kit", "--device", "wasm", ...DENO_WALLS],
    "forgot",
  ],
];

Deno.test(
  "every task that is interrupted once its output is there ends as if it had not been",
  { ignore: Deno.build.os === "windows" },
  () =>
    inCopy(async (folder) => {
      for (const [task, args, says] of MAKING) {
        const made = join(folder, "late");
        const line = [...args, "--out", "late"];
        const ended = await interrupted(task, line, folder, "SIGINT", () => exists(made));
        assertEquals(ended.code, 0, `${task}: ${ended.err}`);
        assert(ended.out.includes(`\n${says}`) || ended.out.startsWith(says), ended.out);
        assertEquals(
          /interrupted|kept/.test(ended.err.replace("interrupted, finishing", "")),
          false,
        );
        await Deno.remove(made, { recursive: true });
      }
    }),
);
