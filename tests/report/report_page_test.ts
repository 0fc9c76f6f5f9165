import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { html } from "../../lib/report/markup.ts";
import { picturesNeeded, reportPage } from "../../lib/report/report_page.ts";
import { smallResults } from "./small_results.ts";

const none = () => undefined;

Deno.test("reportPage needs no network, no script and no other file", () => {
  const page = reportPage(smallResults(), none);
  assert(!/<script|<link|<iframe|javascript:|https?:|url\(/i.test(page));
  assertStringIncludes(
    page,
    `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`,
  );
});

Deno.test("reportPage shows names from a data set as text, whatever they hold", () => {
  const page = reportPage(smallResults("<i>grid</i>", `<img src=x onerror="alert(1)">`), none);
  assert(!page.includes("<i>") && !page.includes("<img"));
  assertStringIncludes(page, "&#60;i&#62;grid&#60;/i&#62;");
});

Deno.test("reportPage has a dossier per forgotten person and seed, with every model's figures", () => {
  const page = reportPage(smallResults(), none);
  assertEquals(page.split('<details class="dossier">').length - 1, 4);
  const dossier = page.slice(
    page.indexOf("p01 (seed 0)</summary>"),
    page.indexOf("p10 (seed 1)</s"),
  )
    .replaceAll(/\s+/g, " ").replaceAll("> <", "><");
  assertStringIncludes(dossier, '<th scope="row">original</th><td>90.0</td><td>0.100</td>');
  assertStringIncludes(dossier, '<th scope="row">retrained</th><td>50.0</td><td>0.700</td>');
  assertStringIncludes(dossier, '<th scope="row">SSD</th><td>62.0</td><td>0.400</td>');
  // The person who stays and is nearest to p01 lost 20 points under SSD, 10 under MetaUnlearn.
  assertStringIncludes(dossier, "1 of 1: stays 1 -20.0");
  assertStringIncludes(dossier, "1 of 1: stays 1 -10.0");
});

Deno.test("reportPage names the method that comes nearest to retraining, and what doing nothing scores", () => {
  const page = reportPage(smallResults(), none);
  assertStringIncludes(page, "nearest to retraining is <b>SSD</b>, Tug-of-War 90.0 ± 0.0");
  assertStringIncludes(page, "Doing nothing scores 60.0 ± 0.0.");
});

Deno.test("reportPage says so when doing nothing scores best, and when cells are missing", () => {
  const results = smallResults();
  const summary = results.summary.map((row) =>
    row.method === "Pretrain" ? { ...row, tugOfWar: { mean: 0.95, deviation: null } } : row
  );
  const page = reportPage({ ...results, summary, planned: 10 }, none);
  assertStringIncludes(page, "Doing nothing scores 95.0: no method does better than that here.");
  assertStringIncludes(page, "4 of 10 cells are not computed yet");
});

Deno.test("reportPage shows the pictures that it is given, where picturesNeeded asked for them", () => {
  const results = smallResults();
  const needed = picturesNeeded(results);
  assert(needed.some(({ file }) => file === "p00/s.jpg"));
  assert(needed.some(({ file }) => file === "p00/a.jpg"));
  const asked = new Set<string>();
  const page = reportPage(results, (_, file) => {
    asked.add(file);
    return html`<img alt="${file}">`;
  });
  assertEquals(asked, new Set(needed.map(({ file }) => file)));
  assertStringIncludes(page, '<img alt="p00/s.jpg">');
});

Deno.test("reportPage shows a stream of requests below its data set's table", () => {
  const results = smallResults();
  assertEquals(reportPage(results, () => undefined).includes("Request after request"), false);
  const step = (people: number, waiting: number | null) => ({
    people,
    metrics: { retain: 0.8, forget: 0.61, test: 0.4 },
    waiting,
    retrained: { retain: 0.8, forget: 0.5, test: 0.4 },
    tugOfWar: 0.89,
  });
  const sequences = [{
    data: "faces",
    forget: 2,
    seed: 0,
    method: "MetaUnlearn",
    steps: [step(1, 0.93), step(2, null)],
  }];
  const page = reportPage({ ...results, sequences }, () => undefined);
  assertEquals(page.includes("Request after request: MetaUnlearn"), true);
  assertEquals(page.match(/<td>61\.0<\/td>/g)?.length, 2);
  assertEquals(page.includes("<td>93.0</td>"), true);
});
