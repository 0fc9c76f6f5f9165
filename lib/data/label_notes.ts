import type { Dataset } from "./sample.ts";

/** Labels that a line names. */
const SHOWN = 5;

/**
 * What a data set's labels do not tell apart: labels that no image has, or every one, and classes without an
 * image. Nothing is learned of them, and a metric passes over them or cannot fall.
 *
 * @returns a line each; of `classes` only where fewer than two have images, as data often lack some
 */
export function labelNotes({ task, labels, samples }: Dataset): string[] {
  const images = new Uint32Array(labels.length);
  for (let row = 0; row < samples.length; row++) {
    const { targets } = samples.at(row)!;
    if (task === "classes") images[targets[0]]++;
    else for (let i = 0; i < labels.length; i++) images[i] += targets[i];
  }
  const having = (count: number) => labels.filter((_, i) => images[i] === count);
  if (task === "classes") {
    const present = labels.filter((_, i) => images[i] > 0);
    if (present.length > 1) return [];
    return [`every image is of class ${present[0]}: there is nothing to tell apart`];
  }
  const [none, all] = [having(0), having(samples.length)];
  return [
    ...none.length === 0
      ? []
      : [`no image has ${shown(none)}: nothing is learned of that, and mAP passes over it`],
    ...all.length === 0
      ? []
      : [`every image has ${shown(all)}: nothing is learned of that, and it lifts mAP`],
  ];
}

function shown(labels: readonly string[]): string {
  const more = labels.length - SHOWN;
  return labels.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
