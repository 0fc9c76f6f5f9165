import type { BenchmarkResults, SplitName } from "../benchmark/results.ts";
import { summariseSequences } from "../benchmark/summarise.ts";
import { adapterTable } from "./adapter_table.ts";
import { distanceFigure } from "./distance_figure.ts";
import { dossier } from "./dossier.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { STYLE } from "./page_style.ts";
import { resultsTable } from "./results_table.ts";
import { rocFigure } from "./roc_figure.ts";
import { sequenceTable } from "./sequence_table.ts";
import { groups, summary } from "./summary.ts";
import { tugOfWarFigure } from "./tug_of_war_figure.ts";

/** Finds the small picture of an image of a split; nothing when pictures are left out. */
export type PictureOf = (split: SplitName, file: string) => Markup | undefined;

/** The pictures that {@link reportPage} asks for, so that they can be read beforehand. */
export function picturesNeeded(
  { splits, analyses }: BenchmarkResults,
): { readonly split: SplitName; readonly file: string; readonly caption: string }[] {
  return [
    ...splits.flatMap((split) =>
      split.forgotten.map(({ identity, support }) => ({
        split,
        file: support,
        caption: `support image of ${identity}`,
      }))
    ),
    ...analyses.flatMap(({ data, forget, hardest }) =>
      hardest.flatMap(({ seed, identity, files }) =>
        files.slice(0, HARDEST_IMAGES).map((file) => ({
          split: { data, forget, seed },
          file,
          caption: `image of ${identity} to forget`,
        }))
      )
    ),
  ];
}

/** Images to forget shown beside the support image (Fig. 6). */
const HARDEST_IMAGES = 4;

/**
 * A benchmark's results as one self-contained page: no script, no network, light or dark as the
 * reader's system is, and made to be printed.
 */
export function reportPage(results: BenchmarkResults, pictureOf: PictureOf): string {
  const { settings, device, cells } = results;
  const methods = [...new Set(cells.map(({ method }) => method))];
  const streams = summariseSequences(results.sequences);
  const parts = groups(results.summary).map(({ data, forget, rows }) => {
    const own = cells.filter((cell) => cell.data === data && cell.forget === forget);
    const analysis = results.analyses.find((each) => each.data === data && each.forget === forget);
    return html`<section><h2>${title(data, forget)}</h2>
${resultsTable(rows)}
${own.length === 0 ? "" : [tugOfWarFigure(own, methods), rocFigure(own, methods)]}
${streams.filter((each) => each.data === data && each.forget === forget).map(sequenceTable)}
${analysis ? analysisFigures(analysis, pictureOf, results) : ""}
<h3>Dossiers</h3>
${dossiers(results, data, forget, pictureOf)}</section>`;
  });
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <title>${settings.name}: unlearning report</title>
        <style>${STYLE}</style>
      </head>
      <body>
        <main>
    <header><h1>${settings.name}</h1>
    <p class="note">Lethe's report on one-shot identity unlearning (1-SHUI). Computed on ${device}. It names
    people and files of the data set and is as private as that is.</p></header>
    <section><h2>Summary</h2>${summary(results)}${settings.note === undefined
      ? ""
      : html`<p class="note">${settings.note}</p>`}</section>
    ${parts}
    <section><h2>Where it was computed</h2>${adapterTable(results)}</section>
    <section><h2>How to read this</h2>${GLOSSARY}</section>
        </main>
      </body>
    </html>
  `;
  return page.text;
}

function title(data: string, forget: number): string {
  return `${data}, ${forget === 1 ? "one person" : `${forget} people`} forgotten`;
}

function analysisFigures(
  { methods, hardness, retainDrop, hardest, data, forget }: BenchmarkResults["analyses"][number],
  pictureOf: PictureOf,
  { splits }: BenchmarkResults,
): Content {
  const of = methods.length === 0 ? "" : ` Mean of ${methods.join(", ")}.`;
  const pictures = hardest.map(({ seed, identity, support, files, supportDistance }) => {
    const split = splits.find((each) =>
      each.data === data && each.forget === forget && each.seed === seed
    ) ?? { data, forget, seed };
    const shown = [support, ...files.slice(0, HARDEST_IMAGES)].flatMap((file) =>
      pictureOf(split, file) ?? []
    );
    return html`<li>${identity} (seed ${seed}), ${supportDistance.toFixed(2)} away${
      shown.length > 0 ? html`<div class="pictures">${shown}</div>` : ""
    }</li>`;
  });
  return html`
    <h3>Who is hard to forget, and who is harmed</h3><div
      class="panels">${hardness.length === 0 ? "" : distanceFigure(hardness, {
        title: "Forgetting by support distance",
        caption: `As Fig. 4: what is left to forget, by how unusual the support image is.${of}`,
        x: "support image to centroid",
        y: "points above retrained",
      })}${retainDrop.length === 0 ? "" : distanceFigure(retainDrop, {
        title: "Harm by nearness to the forgotten",
        caption: `As Fig. 5: what retained people lose, by how near a forgotten person is.${of}`,
        x: "to the nearest forgotten person",
        y: "points lost",
      })}</div>${hardest.length === 0
        ? ""
        : html`<p>The hardest (Fig. 6), whose support image lies farthest from the images to forget:</p>
<ol class="hardest">${pictures}</ol>`}
  `;
}

function dossiers(
  { splits, cells }: BenchmarkResults,
  data: string,
  forget: number,
  pictureOf: PictureOf,
): Content {
  return splits.filter((split) => split.data === data && split.forget === forget)
    .flatMap((split) => {
      const own = cells.filter((cell) =>
        cell.data === data && cell.forget === forget && cell.seed === split.seed
      );
      return split.forgotten.map((person, at) =>
        dossier(split, at, own, pictureOf(split, person.support))
      );
    });
}

const GLOSSARY = html`
  <dl>
    <dt>retain, forget, test</dt>
    <dd>mAP or accuracy, in percent, on people who stay, on images of the
  forgotten (never the support image), and on people whom no model saw.</dd>
    <dt>Tug-of-War</dt>
    <dd>Eq. 7 of the paper: the product over the three of one minus the distance to the
  retrained model.</dd>
    <dt>TPR at an FPR</dt>
    <dd>The share of the forgotten people's images that a membership attack (RMIA)
  finds while it accuses so small a share of strangers falsely.</dd>
    <dt>verdict</dt>
    <dd>Under-forgotten: the model still does better on the forgotten than a model that never
  saw them, relative to strangers. Over-forgotten: it does worse, which gives them away as well.
  Indistinguishable: the test (5 %, by permutation of people) shows no difference, which is no proof that
  there is none.</dd>
  </dl>
`;
