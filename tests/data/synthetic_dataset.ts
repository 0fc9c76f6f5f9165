import type { Dataset, Sample } from "../../lib/data/sample.ts";

/** A data set that exists only as a description: `counts[i]` images of person `p<i>`. */
export function syntheticDataset(counts: readonly number[]): Dataset {
  const samples: Sample[] = counts.flatMap((count, person) =>
    Array.from({ length: count }, (_, image) => ({
      file: `img/${String(person).padStart(4, "0")}_${String(image).padStart(2, "0")}.png`,
      identity: `p${person}`,
      targets: [person % 2, image % 2],
    }))
  );
  return {
    name: "celeba",
    root: "nowhere",
    task: "multi-label",
    labels: ["Odd", "Second"],
    samples,
    absent: 0,
    unread: [],
  };
}

/** Hashes of the right form for a description's files. */
export function syntheticHashes(dataset: Dataset): Record<string, string> {
  return Object.fromEntries(
    dataset.samples.map(({ file }, i) => [file, i.toString(16).padStart(64, "0")]),
  );
}
