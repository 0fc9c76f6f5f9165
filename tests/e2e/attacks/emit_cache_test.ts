import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { say } from "../../../lib/audit/sandbox/shell.ts";
import { names } from "../small_path.ts";
import { withPatchedCopy } from "./patched_copy.ts";

const MODULE = "lib/run/unlearn_plan.ts";
const HONEST = "import { join }";
const UNLEARN = "--support requests --kit kit --branch --reason trial --device wasm --out new";
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
    const args = `unlearn ${UNLEARN}`.split(" ");
    const { code, err } = await unlearnFrom("tasks/start.js", environment, ...args);
    assertEquals([code, err.includes("EVIL")], [0, false], err);
    assertMatch((await load()).err, /EVIL ran/, "and it still lies there");
  }));

/** A module that the launcher loads and the worker does not, and what stands in for it. */
const OWN = "./lib/closest_name.ts";
const LOADED = 'console.error("EVIL ran"); export const closestName = () => undefined;';

// Of the same kind as attack 06: every file is as it was, and an import means another one.
Deno.test("unlearn leaves nothing of a launcher that deno.json makes load code from elsewhere", () =>
  withPatchedCopy(async ({ folder, lethe, patch, unlearn }) => {
    const before = names(folder);
    const data = `data:text/javascript,${encodeURIComponent(LOADED)}`;
    const mapped = `"imports": {\n    "${OWN}": ${JSON.stringify(data)},`;
    await patch("deno.json", '"imports": {', mapped);
    const refused = await unlearn(...UNLEARN.split(" "));
    assertMatch(refused.err, /EVIL ran/, "the control: it is loaded");
    assertEquals(refused.code, 3, refused.err);
    assertMatch(refused.err, /tasks\/unlearn\.ts loads data:text/);
    assertEquals(names(folder), before);
    await patch("deno.json", mapped, '"imports": {');
    // Within the copy it is loaded too, and the receipt names it and the deno.json that says so.
    await Deno.writeTextFile(join(lethe, "evil.ts"), LOADED);
    await patch("deno.json", '"imports": {', `"imports": {\n    "${OWN}": "./evil.ts",`);
    const { code, err } = await unlearn(...UNLEARN.split(" "));
    assertEquals([code, err.includes("EVIL ran")], [0, true], err);
    const receipt = JSON.parse(await Deno.readTextFile(join(folder, "new/receipt.json")));
    const files = receipt.code.map(({ file }: { file: string }) => file);
    assertEquals(["deno.json", "evil.ts"].filter((file) => files.includes(file)).length, 2);
  }));
