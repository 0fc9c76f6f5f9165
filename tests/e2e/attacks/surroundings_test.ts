import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { say } from "../../../lib/audit/sandbox/shell.ts";
import { withPatchedCopy } from "./patched_copy.ts";

/** What a user's shell may leave open and set; to be run in the small path's folder. */
const INHERITED = "exec 9<portraits/identity_CelebA.txt 23<&9 && " +
  "export LETHE_SEEN=seen NODE_OPTIONS=--no-warnings DENO_V8_FLAGS=--expose-gc DENO_AUDIT_PERMISSIONS=log " +
  "DENO_CERT=/nowhere.pem";
const UNLEARN = "--support requests --kit kit --branch --reason trial --device wasm".split(" ");

Deno.test("unlearn computes the same whatever it inherits", () =>
  withPatchedCopy(async ({ folder, unlearn, unlearnAfter }) => {
    for (
      const { code, err } of [
        await unlearn(...UNLEARN, "--out", "one"),
        await unlearnAfter(INHERITED, ...UNLEARN, "--out", "two"),
      ]
    ) assertEquals(code, 0, err);
    const [one, two] = await Promise.all(
      ["one", "two"].map((out) => Deno.readTextFile(join(folder, out, "summary.json"))),
    );
    assertEquals(two, one);
    // The user's log is the launcher's; the worker reads the photographs, and its checks are not there.
    const log = await Deno.readTextFile(join(folder, "log"));
    assertEquals(log.includes('"permission":"read"'), true);
    assertEquals(log.includes("/model/.model"), false);
  }));

Deno.test("unlearn's worker gets of the linker's variables the driver's folders alone", {
  ignore: Deno.build.os !== "linux",
}, () =>
  withPatchedCopy(async ({ folder, patch, unlearnAfter }) => {
    for (const name of ["cuda", "driver", "conda"]) await Deno.mkdir(join(folder, name));
    // What a card's driver is found by; on WASM nothing loads it.
    await Deno.writeTextFile(join(folder, "driver/libvulkan.so.1"), "");
    const linker = ["LD_PRELOAD=libm.so.6", "LD_AUDIT=libm.so.6", "LD_BIND_NOW=1"].concat(
      `LD_LIBRARY_PATH=$PWD/cuda::$PWD/driver:relative:$PWD/conda`,
    );
    await patch(
      "lib/audit/sandbox/unlearn_worker.ts",
      "if (import.meta.main) {",
      `for (const name of Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("LD"))) {
        console.error("worker's " + name + "=" + Deno.env.get(name));
      }
      if (import.meta.main) {`,
    );
    await patch(
      "lib/audit/sandbox/containment.ts",
      '"--no-prompt",',
      '"--no-prompt", "--allow-env",',
    );
    for (const sandbox of ["auto", "deno"]) {
      const out = `linked-${sandbox}`;
      const args = [...UNLEARN, "--out", out, "--sandbox", sandbox];
      const { code, err } = await unlearnAfter(`export ${linker.join(" ")}`, ...args);
      assertEquals(code, 0, err);
      const driver = await Deno.realPath(join(folder, "driver"));
      assertEquals(err.match(/worker's .*/g), [`worker's LD_LIBRARY_PATH=${driver}`]);
      const receipt = JSON.parse(await Deno.readTextFile(join(folder, out, "receipt.json")));
      assertEquals(receipt.worker.environment.LD_LIBRARY_PATH, "{working folder}/driver");
    }
  }));

Deno.test("unlearn's worker finds no input, no descriptor and no variable of the user's", () =>
  withPatchedCopy(async ({ patch, unlearnAfter }) => {
    // With all of Deno's permissions, so that nothing but the launcher stands in the way.
    await patch("lib/audit/sandbox/containment.ts", '"--no-prompt",', '"-A",');
    await patch(
      "lib/audit/sandbox/containment.ts",
      "...readable([...read, write]),",
      "",
    );
    await patch("lib/audit/sandbox/containment.ts", "`--allow-write=${write}`,", "");
    await patch(
      "lib/audit/sandbox/unlearn_worker.ts",
      "if (import.meta.main) {",
      `const open = [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync("/proc/self/fd/" + name).includes("portraits");
        } catch {
          return false;
        }
      });
      const input = await new Response(Deno.stdin.readable).text();
      const variable = Deno.env.get("LETHE_SEEN") ?? null;
      console.error(JSON.stringify({ input, descriptors: open.length, variable }));
      if (import.meta.main) {`,
    );
    const found = async (sandbox: string) => {
      const args = [...UNLEARN, "--out", `new-${sandbox}`, "--sandbox", sandbox];
      const { code, err } = await unlearnAfter(INHERITED, ...args);
      // Where nothing but Deno's permissions would stop them, the canaries notice that these are gone.
      assertEquals(code === 0 || err.includes("failed: canaries: "), true, err);
      return err;
    };
    for (const sandbox of ["auto", "deno"]) {
      assertStringIncludes(await found(sandbox), '{"input":"","descriptors":0,"variable":null}');
    }
    // The control: without the wrapper and the clean environment it finds them.
    await patch("lib/audit/sandbox/run_contained.ts", "clearEnv: true,", "");
    const direct = `["/bin/sh", "-c", 'exec "$@"', "sh", ...traced]`;
    await patch("lib/audit/sandbox/containment.ts", "withoutDescriptors(traced)", direct);
    const open = await unlearnAfter(INHERITED, ...UNLEARN, "--out", "open", "--sandbox", "deno");
    assertStringIncludes(open.err, '"descriptors":2,"variable":"seen"');
  }));

Deno.test("unlearn's task runs no code that NODE_OPTIONS requires, and without the task it is refused", () =>
  withPatchedCopy(async ({ folder, lethe, unlearnFrom }) => {
    const evil = join(folder, "evil.cjs");
    await Deno.writeTextFile(evil, 'console.error("EVIL ran");');
    const task = (options: string) =>
      say([
        ...["bash", "-c", 'cd "$1" && shift && unset INIT_CWD && exec "$@"', "bash", folder],
        ...["env", `NODE_OPTIONS=${options}`, Deno.execPath(), "task", "--config"],
        ...[join(lethe, "deno.json"), "unlearn", ...UNLEARN, "--out", "new"],
      ]);
    for (const options of [`--require ${evil}`, `--no-warnings -r ${evil}`]) {
      const order = `export NODE_OPTIONS='${options}'`;
      const { code, err } = await unlearnFrom("tasks/start.js", order, "unlearn", ...UNLEARN);
      assertStringIncludes(err, "EVIL ran", "the control: Deno runs it");
      assertEquals(code, 1, err);
      assertStringIncludes(err, "Deno runs that before Lethe, and no receipt could show it");
    }
    const { code, err } = await task(`--require ${evil}`);
    assertEquals([code, err.includes("EVIL")], [0, false], err);
  }));
