import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeImage } from "../../lib/data/images/decode_image.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";
import { firstThatRuns, needing } from "../machine.ts";
import { smallResults } from "../report/small_results.ts";
import { done, runTask } from "./run_task.ts";

/** By the names that systems give Chromium. */
const browser = await firstThatRuns(
  ["chromium", "chromium-browser", "google-chrome"],
  "--version",
);

/** Opens a page without a window; what it says on its console comes on standard error. */
async function chromium(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { stdout, stderr } = await new Deno.Command(browser!, {
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout), stderr: text(stderr) };
}

// Without a browser the page is checked as text only, in tests/report.
const shown = "report makes a page that a browser shows whole, in silence, light and dark";

Deno.test(needing("Chromium", browser !== null, shown), async () => {
  await inTemporaryFolder(async (folder) => {
    await Deno.mkdir(join(folder, "grid"));
    await Deno.writeTextFile(join(folder, "grid/results.json"), JSON.stringify(smallResults()));
    await done("report", ["--grid", "grid"], folder);
    const url = `file://${join(folder, "report.html")}`;
    const { stdout: dom, stderr } = await chromium("--dump-dom", url);
    assert(!/CONSOLE/.test(stderr), stderr);
    const count = (text: string) => dom.split(text).length - 1;
    // One Tug-of-War, an ROC panel per method, figures 4 and 5.
    assertEquals(count('<svg class="plot"'), 1 + 3 + 2);
    assertEquals(count("</svg>"), count("<svg"));
    assertEquals(count('<details class="dossier">'), 4);
    const shades: number[] = [];
    for (const scheme of ["light", "dark"]) {
      const png = join(folder, `${scheme}.png`);
      const dark = scheme === "dark" ? ["--blink-settings=preferredColorScheme=0"] : [];
      await chromium("--window-size=900,1200", ...dark, `--screenshot=${png}`, url);
      const { rgb } = decodeImage(await Deno.readFile(png), png);
      shades.push(rgb[0]);
      assert(new Set(rgb).size > 20, `the ${scheme} page is blank`);
    }
    assertEquals(shades.map((shade) => shade > 127), [true, false]);
  });
});

Deno.test("report refuses to write over a page, and names the results it lacks", async () => {
  await inTemporaryFolder(async (folder) => {
    const refused = async (exitCode: number, says: string, ...args: string[]) => {
      const { code, err } = await runTask("report", args, folder);
      assertEquals(code, exitCode, err);
      assertStringIncludes(err, says);
    };
    await refused(2, "benchmark does not exist; --grid names");
    await writeFiles(folder, { "benchmark/results-inputs.json": "{}", "report.html": "mine" });
    await refused(2, `benchmark holds no results.json`);
    await refused(2, `did you mean ${join("benchmark", "results-inputs.json")}?`);
    await writeFiles(folder, { "benchmark/results.json": "{}" });
    await refused(1, "report.html exists");
  });
});

Deno.test("report takes a grid's folder and the results in it alike", async () => {
  await inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "my grid/results.json": JSON.stringify(smallResults()) });
    await done("report", ["--grid", "my grid", "--out", "a.html"], folder);
    await done("report", ["--grid", "my grid/results.json", "--out", "b.html"], folder);
    const [a, b] = ["a.html", "b.html"].map((name) => Deno.readTextFileSync(join(folder, name)));
    assertEquals(a, b);
  });
});

Deno.test("report leaves pictures out unless it is asked for them, and then their EXIF", async () => {
  await inTemporaryFolder(async (folder) => {
    const results = smallResults();
    const [data] = results.settings.data;
    const { portraits: _, ...rest } = data;
    const settings = {
      ...results.settings,
      data: [{ ...rest, name: "faces", layout: "folder", root: folder }],
    };
    const image = await Deno.readFile(new URL("../data/images/rgb.jpg", import.meta.url));
    for (const { support, files } of results.splits.flatMap(({ forgotten }) => forgotten)) {
      for (const file of [support, ...files]) await writeFiles(folder, { [file]: image });
    }
    await writeFiles(folder, { "results.json": JSON.stringify({ ...results, settings }) });
    await done("report", ["--grid", ".", "--out", "without.html"], folder);
    await done("report", ["--grid", ".", "--out", "with.html", "--include-images"], folder);
    const [without, page] = await Promise.all(
      ["without.html", "with.html"].map((name) => Deno.readTextFile(join(folder, name))),
    );
    assert(!without.includes("<img"));
    // A support image per person in dossiers; support and both images per person in figure 6.
    assertEquals(page.split('<img src="data:image/png;base64,').length - 1, 4 + 4 * 3);
    await Deno.remove(join(folder, "p00/s.jpg"));
    const gone = await runTask(
      "report",
      ["--grid", ".", "--out", "x.html", "--include-images"],
      folder,
    );
    assertEquals(gone.code, 1);
    assertStringIncludes(gone.err, "p00/s.jpg");
  });
});

Deno.test("report --force replaces a page, and refuses a grid in which no cell ran", () =>
  inTemporaryFolder(async (folder) => {
    const results = smallResults();
    await writeFiles(folder, { "results.json": JSON.stringify(results), "report.html": "mine" });
    const again = ["--grid", ".", "--out", "report.html"];
    assertStringIncludes((await runTask("report", again, folder)).err, "or add --force");
    await done("report", [...again, "--force"], folder);
    assertStringIncludes(await Deno.readTextFile(join(folder, "report.html")), "<!doctype html>");
    const none = { ...results, cells: [], summary: [], analyses: [], sequences: [] };
    await writeFiles(folder, { "results.json": JSON.stringify(none) });
    const { code, err } = await runTask("report", [...again, "--force"], folder);
    assertEquals(code, 1);
    assertStringIncludes(err, `has none of its ${results.planned} cells`);
    assertEquals(err.trimEnd().split("\n").length, 1);
  }));
