import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { parseSafetensors } from "../../lib/model/safetensors.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";
import { smallModel, TRAIN } from "./small_path.ts";
import { DEVICE, done } from "./run_task.ts";

const SCRIPT = fromFileUrl(new URL("lose_device.ts", import.meta.url));

const goesOn = "train ends with one line when the device is lost, and goes on from what was saved";

Deno.test(needing("adapter", HAS_ADAPTER, goesOn), async () => {
  const folder = await smallModel();
  const run = [...TRAIN, ...DEVICE, "--epochs", "4", "--out", "lost"];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", "--allow-write", SCRIPT],
      ...[...run, "--state", "lost.training"],
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
  });
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(code, 1, text);
  const lines = text.split("\n").filter((line) => line.startsWith("lethe: "));
  assertEquals(lines.length, 1, text);
  assertMatch(lines[0], /^lethe: the WebGPU device .*; its results cannot be trusted .*: repeat /);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.includes("lost"));
  assertEquals(left, ["lost.training"]);

  await done("train", run, folder);
  await done("train", [...run.slice(0, -1), "undisturbed"], folder);
  const [went, whole] = await Promise.all(["lost", "undisturbed"].map(async (name) => {
    const path = join(folder, name, "model.safetensors");
    const { weights } = parseSafetensors(await Deno.readFile(path), path);
    // The file also records which kernels a run found time to measure; all of them give the same bits.
    return [...weights].map((
      [tensor, { values }],
    ) => [tensor, values.slice()]);
  }));
  assertEquals(went, whole);
});
