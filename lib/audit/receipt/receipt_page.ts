import type { LayerState } from "../layers/layer.ts";
import type { Digest, FileDigest, Plain, Receipt } from "./receipt.ts";
import { peopleOf } from "./receipt_file.ts";

/**
 * A receipt as a page for people who do not read JSON: one file without script or network, light or
 * dark as the reader's system is. It is made from the receipt alone, so that whoever verifies can
 * make it again and compare.
 */
export function receiptPage(receipt: Receipt): string {
  const people = peopleOf(receipt);
  const sections = [
    section("What happened", list(happened(receipt))),
    section("Layers of the proof", layers(receipt)),
    section("What this does not show", LIMITS),
    section(
      "Files",
      [
        details(
          `The ${plural(receipt.requests.length, "photograph")}, by hash`,
          digests(receipt.requests),
        ),
        details(`${plural(receipt.kit.length, "kit file")} read`, files(receipt.kit)),
        details(`${plural(receipt.written.length, "file")} written`, files(receipt.written)),
        details(`${plural(receipt.evidence.length, "file")} of evidence`, files(receipt.evidence)),
      ].join(""),
    ),
    section("Program", program(receipt)),
    section("Check it yourself", CHECK),
  ];
  const title = `Receipt: ${plural(people, "person", "people")} forgotten`;
  return page(title, verdict(receipt), sections);
}

/** A page without script or network. @param lead one paragraph, as markup, like the sections */
export function page(title: string, lead: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="verdict">${lead}</p>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

/** Text that means nothing to a browser; control and direction characters are written out. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
    );
}

/** What no receipt shows, as markup. */
export const LIMITS = `<ul>
<li>Not that the new weights hold nothing of these people: forgetting is measured, not proven.</li>
<li>Not that nobody kept a copy of the training data, the photographs or the old weights.</li>
<li>Not that the machine's owner told the truth: who rules the system can deceive every program on it.</li>
<li>Not that a request is no training photograph encoded anew: copies are known by their exact bytes.</li>
</ul>`;

const CHECK = `<p>In a copy of Lethe, beside the folder that this page came in:</p>
<pre>deno task audit --verify receipt.json --key signer.pub</pre>
<p>It needs no network and no training data. With the photographs and the kit at hand, <code>--rerun
--support DIR --kit DIR</code> repeats the request and compares the weights.</p>`;

function verdict({ layers, signer }: Receipt): string {
  const count = (state: string) => layers.filter((layer) => layer.state === state).length;
  const [held, failed, absent] = ["held", "failed", "absent"].map(count);
  const proof = failed > 0
    ? `${badge("failed")} ${plural(failed, "layer")} of the proof failed: this run proves nothing.`
    : held === 0
    ? `${badge("absent")} No layer of the proof was there: this run shows nothing.`
    : `${badge("held")} ${plural(held, "layer")} of the proof held` +
      (absent > 0 ? `; ${absent} ${absent > 1 ? "were" : "was"} absent and showed nothing.` : ".");
  const signed = signer === null
    ? "Nobody signed it: whoever held the file may have changed it."
    : `Signed with the key <code>${
      signer.slice(0, 16)
    }..</code>; this page cannot check that itself.`;
  return `${proof} ${signed}`;
}

function happened(receipt: Receipt): [string, string][] {
  const { started, ended, requests, targets, weights, adapter } = receipt;
  const people = peopleOf(receipt);
  const seconds = ((Date.parse(ended) - Date.parse(started)) / 1000).toFixed(1);
  return [
    ["When", `${started.slice(0, 19).replace("T", " ")} UTC, for ${seconds} s`],
    [
      "Who",
      `${plural(people, "person", "people")}, ${
        people === requests.length
          ? "one photograph each"
          : `${plural(requests.length, "photograph")} in all`
      }; named nowhere here`,
    ],
    ["Labels", `from ${targets}`],
    ["Computed on", adapter],
    ["Weights before", weights.before],
    ["Weights after", weights.after],
    ...moved(receipt),
    ["Run", receipt.nonce],
    ["Auditor's nonce", receipt.auditorNonce ?? "none"],
  ];
}

function moved({ change, kitId }: Receipt): [string, string][] {
  if (change === undefined || kitId === undefined) return []; // version 1
  const { relative, unusual, low, high } = change;
  const range = low === undefined || high === undefined
    ? "the kit records no range"
    : `simulated requests: ${low.toExponential(1)} to ${high.toExponential(1)}`;
  return [
    [
      "Weights moved",
      `by ${relative.toExponential(1)} of their size (${range})` +
      (unusual ? "; unusual, and allowed by whoever ran it" : ""),
    ],
    ["Kit used", kitId.before],
    ["Next kit", kitId.after],
  ];
}

function layers({ layers }: Receipt): string {
  const rows = layers.map(({ layer, state, detail }) =>
    `<tr><td>${badge(state)}</td><th scope="row">${escapeHtml(layer)}</th><td>${
      escapeHtml(detail)
    }</td></tr>`
  );
  return `<table>${rows.join("")}</table>
<p>Held: it shows what its line says, and no more. Absent: it was not there and shows nothing.</p>`;
}

function program(receipt: Receipt): string {
  const { worker, deno, lockFile, code, packages, settings } = receipt;
  const summary = list([
    ["Lethe", `${receipt.lethe}, commit ${receipt.commit ?? "unknown"}`],
    ["Deno", `${deno.version} for ${deno.target}, SHA-256 ${deno.sha256}`],
    ["Lock file", lockFile.sha256],
    ["Worker in", worker.containment],
    ["Settings", plain(settings)],
    ["Environment", plain(worker.environment)],
  ]);
  return summary +
    details("Permissions", words(worker.permissions)) +
    details("Command line", words(worker.argv)) +
    details(`${plural(code.length, "module")} of Lethe`, files(code)) +
    details(
      `${plural(packages.length, "package")}`,
      rows(packages.map(({ name, sha256 }) => [name, sha256])),
    );
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --line: #d5dae0; --soft: #f3f5f7;
  --held: #12673a; --failed: #a31621; --absent: #5b6470; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #14171a; --line: #363c43;
  --soft: #1e2327; --held: #6fd39a; --failed: #ff8b8b; --absent: #a6afb9; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left;
  vertical-align: top; font-weight: normal; overflow-wrap: anywhere; }
th { min-width: 8rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--absent); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre, .hash { font: .85em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem 1rem; overflow-x: auto; }
summary { cursor: pointer; padding: .25rem 0; }
.badge { border: 1px solid; border-radius: .3rem; padding: 0 .4rem; font-size: .85em;
  white-space: nowrap; }
.held { color: var(--held); } .failed { color: var(--failed); font-weight: bold; } .absent { color: var(--absent); }
`;

/** A titled part of a page, as markup. */
export function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>${body}</details>`;
}

function badge(state: LayerState): string {
  return `<span class="badge ${state}">${state}</span>`;
}

/** Terms and what they are, as markup; the texts are escaped. */
export function list(entries: readonly (readonly [string, string])[]): string {
  return `<dl>${
    entries.map(([term, text]) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`).join("")
  }</dl>`;
}

function rows(cells: readonly (readonly string[])[]): string {
  return `<table class="hash">${
    cells.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`)
      .join("")
  }</table>`;
}

function digests(entries: readonly Digest[]): string {
  return rows(entries.map(({ sha256, bytes }) => [sha256, `${bytes} bytes`]));
}

function files(entries: readonly FileDigest[]): string {
  return rows(entries.map(({ file, sha256, bytes }) => [file, sha256, `${bytes} bytes`]));
}

function words(all: readonly string[]): string {
  return rows(all.map((word) => [word]));
}

function plain(values: Readonly<Record<string, Plain>>): string {
  return Object.entries(values).map(([name, value]) => `${name} ${value}`).join(", ") || "none";
}

/** A number of things. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
