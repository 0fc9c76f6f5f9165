import type { BenchmarkResults, CellResult, SplitResult } from "../../lib/benchmark/results.ts";
import { GRID_PRESETS } from "../../lib/benchmark/presets.ts";
import { analyse } from "../../lib/benchmark/analyse.ts";
import { summarise } from "../../lib/benchmark/summarise.ts";

const METHODS = ["Pretrain", "MetaUnlearn", "SSD"];

/** Made-up results: two seeds of one data set, two people to forget, three to stay. */
export function smallResults(name = "small", person = "p"): BenchmarkResults {
  const splits = [0, 1].map((seed): SplitResult => ({
    data: "faces",
    forget: 2,
    seed,
    images: { retain: 9, forget: 4, test: 8, val: 8 },
    retrained: { retain: 0.8, forget: 0.5, test: 0.45 },
    forgotten: [0, 1].map((i) => ({
      identity: `${person}${seed}${i}`,
      support: `${person}${seed}${i}/s.jpg`,
      files: [`${person}${seed}${i}/a.jpg`, `${person}${seed}${i}/b.jpg`],
      supportDistance: 1 + i + seed / 2,
      original: { images: 2, metric: 0.9, loss: 0.1 },
      retrained: { images: 2, metric: 0.5, loss: 0.7 },
    })),
    retained: [0, 1, 2].map((i) => ({
      identity: `stays ${i}`,
      nearest: `${person}${seed}${i % 2}`,
      distance: 2 + i,
      original: { images: 3, metric: 0.8, loss: 0.3 },
    })),
  }));
  const cells = splits.flatMap((split) => METHODS.map((method, m) => cell(split, method, m)));
  return {
    version: 1,
    settings: { ...GRID_PRESETS.small, name },
    device: "an adapter",
    planned: cells.length,
    splits,
    cells,
    summary: summarise(splits, cells),
    analyses: analyse(splits, cells),
    sequences: [],
  };
}

function cell({ data, forget, seed }: SplitResult, method: string, m: number): CellResult {
  const interval = { low: 0.4, high: 0.8 };
  const verdict = {
    verdict: m === 0 ? "under-forgotten" : "indistinguishable",
    auc: 0.6 - 0.05 * m,
    interval,
    pValue: 0.04 + 0.1 * m,
    smallestPValue: 0.01,
  } as const;
  const smallest = { fpr: 0.125, tpr: 0.25 };
  return {
    data,
    forget,
    seed,
    method,
    seconds: m === 0 ? null : 1.5,
    metrics: { retain: 0.8 - 0.01 * m, forget: 0.9 - 0.15 * m, test: 0.45 },
    losses: { retain: 0.3, forget: 0.2, test: 0.9 },
    tugOfWar: 0.6 + 0.15 * m,
    membership: {
      auc: 0.7 - 0.1 * m,
      aucInterval: interval,
      tpr: { fpr: 1e-4, tpr: 0, resolved: false, smallest },
      tprInterval: { low: 0, high: 0 },
      smallestInterval: interval,
      roc: [
        { fpr: 0.125, tpr: 0.25, low: 0, high: 0.5 },
        { fpr: 0.5, tpr: 0.75, low: 0.5, high: 1 },
        { fpr: 1, tpr: 1, low: 1, high: 1 },
      ],
      scores: { members: [0.9, 0.5, 0.4, 0.2], nonMembers: [0.8, 0.6, 0.3, 0.1, 0, 0, 0, 0] },
    },
    verdict,
    forgotten: [0, 1].map((i) => ({
      images: 2,
      metric: 0.9 - 0.15 * m + 0.02 * i,
      loss: 0.2 + 0.1 * m,
      score: 0.5,
      verdict,
    })),
    retained: [0, 1, 2].map((i) => ({ images: 3, metric: 0.8 - 0.1 * m * (i % 2), loss: 0.3 })),
  };
}
