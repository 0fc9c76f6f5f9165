import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { say } from "../../../lib/audit/sandbox/shell.ts";
import { withPatchedCopy } from "./patched_copy.ts";

const MODULE = "lib/run/unlearn_plan.ts";
const HONEST = "import { join }";
const EVIL = `console.error("EVIL ran");\n${HONEST}`;

// Attack 06: of unchanged TypeScript, Deno runs the JavaScript that DENO_DIR/gen keeps of it.
Deno.test("unlearn runs no code that somebody left in Deno's caches", () =>
  withPatchedCopy(async ({ folder, lethe, patch, unlearnFrom }) => {
    const info = JSON.parse((await say([Deno.execPath(), "info", "--json"])).out);
    const denoDir = join(folder, "deno-dir");
    await Deno.mkdir(denoDir);
    await Deno.symlink(info.npmCache, join(denoDir, "npm"));
    const environment = `export DENO_DIR=${denoDir}`;
    const emitted = join(denoDir, "gen/file", lethe, `${MODULE}.js`);
    const load = () =>
      say([Deno.execPath(), "run", "-A", ...config, join(lethe, MODULE)], { DENO_DIR: denoDir });
    const config = ["--config", join(lethe, "deno.json"), "--lock", join(lethe, "deno.lock")];

    await load();
    const [, source] = /denoCacheMetadata=(\d+),/.exec(await Deno.readTextFile(emitted))!;
    await patch(MODULE, HONEST, EVIL);
    await load();
    await patch(MODULE, EVIL, HONEST);
    const evil = await Deno.readTextFile(emitted);
    await load();
    await Deno.writeTextFile(
      emitted,
      evil.replace(/denoCacheMetadata=\d+,/, `denoCacheMetadata=${source},`),
    );

    assertMatch((await load()).err, /EVIL ran/, "the control: Deno runs it");
    const args =
      "unlearn --support requests --kit kit --branch --reason trial --device wasm --out new".split(
        " ",
      );
    const { code, err } = await unlearnFrom("tasks/start.js", environment, ...args);
    assertEquals([code, err.includes("EVIL")], [0, false], err);
    assertMatch((await load()).err, /EVIL ran/, "and it still lies there");
  }));
