import type { PresetName } from "../model/config.ts";
import type { DataSettings } from "./settings.ts";

/** A mean and a standard deviation over seeds, percent. */
type Figure = readonly [mean: number, deviation: number];

/** A row of Tables 1 to 4, percent. */
export interface PaperRow {
  readonly retain: Figure;
  readonly forget: Figure;
  readonly test: Figure;
  /** Null for Retrain. */
  readonly tugOfWar: Figure | null;
  /** RMIA's TPR at 0.01 % FPR. */
  readonly tpr: number | null;
}

/** The paper's model and data sets, with the fewest images by which the full set is known. */
const MODEL: PresetName = "vit_base_patch16_224";
const FULL_SET: Readonly<Record<string, number>> = {
  celeba: 200_000, // 202,599
  celebahq: 29_000, // 30,000
  mufac: 10_000, // 13,068
};

/**
 * The paper's figures for a row, where data set and model are the same: ViT-B/16 and the full set.
 *
 * @param images in the whole data set
 * @param method as the paper's tables call it
 */
export function paperRow(
  { layout, preset }: Pick<DataSettings, "layout" | "preset">,
  images: number,
  forget: number,
  method: string,
): PaperRow | null {
  if (preset !== MODEL || !(images >= FULL_SET[layout])) return null;
  const rows = TABLES[layout]?.[forget];
  // A method of a grid of one's own may be called toString.
  if (!rows || !Object.hasOwn(rows, method)) return null;
  const [r, rSd, f, fSd, t, tSd, tow, towSd, tpr] = rows[method];
  return {
    retain: [r!, rSd!],
    forget: [f!, fSd!],
    test: [t!, tSd!],
    tugOfWar: tow === null ? null : [tow, towSd!],
    tpr,
  };
}

/** retain, forget, test, Tug-of-War, each with its deviation; TPR. */
type Row = readonly (number | null)[];

/** Tables 1 to 4 of De Min et al. (TMLR 03/2025): by layout, people to forget and method. */
const TABLES: Readonly<Record<string, Readonly<Record<number, Readonly<Record<string, Row>>>>>> = {
  celebahq: {
    1: {
      Pretrain: [84.5, 0.3, 90.9, 8.9, 80.7, 0.1, 95.8, 2.7, 0.01],
      Retrain: [84.6, 0.2, 87.2, 9.9, 80.7, 0.1, null, null, null],
      "Bad Teacher": [84.5, 0.3, 89.9, 10.3, 80.7, 0.1, 96.8, 2.9, 0.03],
      SCRUB: [88, 0.2, 86.8, 8.9, 81.1, 0.2, 95.1, 0.4, 0.01],
      JiT: [84.4, 0.2, 91.1, 8.7, 80.5, 0.2, 95.6, 2.8, 0.14],
      PGU: [84.4, 0.3, 89.9, 8.5, 80.6, 0, 96.8, 1.8, 0.01],
      SSD: [25.2, 0.5, 70.8, 17.1, 25.6, 0.4, 15.2, 1.9, 0.05],
      MetaUnlearn: [83.7, 0, 88.2, 9.1, 80.1, 0.3, 97.4, 0.8, 0.01],
    },
    20: {
      Pretrain: [84.8, 0.1, 83, 2.9, 80.7, 0, 95.5, 0.6, 0.97],
      Retrain: [84.7, 0.2, 78.6, 3.5, 80.8, 0.1, null, null, null],
      "Bad Teacher": [84.4, 0.1, 82.3, 2.9, 80.3, 0.2, 95.6, 0.9, 0.04],
      SCRUB: [88.1, 0.1, 80.2, 2.9, 81.2, 0.2, 94.7, 1.7, 0.02],
      JiT: [78.2, 1.5, 75.9, 4.4, 75, 1.2, 85.7, 3.4, 0.97],
      PGU: [84.6, 0, 82.8, 2.9, 80.6, 0.1, 95.6, 0.6, 0.17],
      SSD: [83.4, 0.6, 82, 3.1, 79.6, 0.5, 94.3, 1.3, 0.03],
      MetaUnlearn: [84.5, 0.2, 82.6, 2.5, 80.7, 0.1, 95.7, 0.8, 0.04],
    },
    50: {
      Pretrain: [84.9, 0.1, 83.8, 1.2, 80.8, 0.1, 94.8, 0.4, 6.1],
      Retrain: [84.6, 0.2, 79.1, 1.2, 80.6, 0.1, null, null, null],
      "Bad Teacher": [83.6, 0.1, 81.9, 0.4, 79.4, 0.1, 95.1, 0.9, 0.49],
      SCRUB: [87, 0.6, 81.4, 0.7, 81.2, 0.3, 94.7, 1, 0.02],
      JiT: [66.3, 1.2, 65.3, 0.9, 64.7, 1.3, 59.2, 2.4, 0.41],
      PGU: [84.6, 0.3, 83.7, 1.6, 80.5, 0.3, 94.9, 0.6, 0.41],
      SSD: [72.7, 5, 70.9, 5.7, 70.9, 4.5, 73.7, 11.3, 0.01],
      MetaUnlearn: [84.1, 0.4, 82.5, 1.9, 80.6, 0.3, 95.9, 0.6, 0.04],
    },
  },
  celeba: {
    1: {
      Pretrain: [84.5, 0.1, 83.5, 7.1, 80.9, 0.1, 96.6, 1.5, 5.26],
      Retrain: [84.5, 0.1, 80.2, 6.7, 80.9, 0.1, null, null, null],
      "Bad Teacher": [84.4, 0.1, 83.7, 6.2, 80.9, 0.1, 96.5, 1, 0.32],
      SCRUB: [88, 0, 80.4, 5.5, 80.6, 0.1, 95.2, 0.6, 0.01],
      JiT: [84.5, 0.1, 82.5, 6.9, 80.9, 0.1, 97.6, 0.4, 5.26],
      PGU: [84.4, 0.1, 83.4, 7, 80.9, 0.1, 96.8, 1.2, 0.26],
      SSD: [22.7, 0.2, 56.1, 4.8, 22.7, 0.3, 12.1, 1.7, 0.01],
      MetaUnlearn: [84.5, 0.1, 83.5, 7.2, 80.9, 0.1, 96.7, 1.5, 0.01],
    },
    5: {
      Pretrain: [84.4, 0, 81.8, 2.2, 80.9, 0.1, 97.2, 1, 13.25],
      Retrain: [84.5, 0, 79.1, 3.2, 80.9, 0.1, null, null, null],
      "Bad Teacher": [84.3, 0, 79.5, 3.4, 80.7, 0.1, 99.1, 0.5, 22.89],
      SCRUB: [87.9, 0.1, 77.5, 3.4, 80.6, 0.2, 94.8, 0.7, 3.61],
      JiT: [84.2, 0.1, 81.1, 2.2, 80.7, 0.2, 97.6, 1.2, 8.43],
      PGU: [84.4, 0, 82.1, 2.1, 80.9, 0.1, 96.9, 1.5, 7.23],
      SSD: [23.1, 0.2, 30.9, 2, 23.1, 0.1, 8.4, 0.9, 13.25],
      MetaUnlearn: [84.4, 0, 81.9, 2.2, 80.9, 0.1, 97.2, 1, 9.64],
    },
    10: {
      Pretrain: [84.5, 0.1, 83, 4.1, 80.9, 0.1, 97.3, 0.5, 29.76],
      Retrain: [84.4, 0.1, 80.4, 4.5, 80.9, 0.1, null, null, null],
      "Bad Teacher": [84.2, 0.1, 82.2, 3.7, 80.5, 0.1, 97.6, 1, 33.93],
      SCRUB: [87.9, 0.1, 79.9, 4.7, 80.6, 0.1, 95.8, 0.3, 1.2],
      JiT: [83.9, 0.4, 82.5, 4.4, 80.4, 0.3, 96.9, 0.9, 23.21],
      PGU: [84.5, 0, 82.9, 4.3, 80.9, 0.1, 97.4, 0.3, 25],
      SSD: [26.9, 4.3, 30.1, 5.2, 26.9, 4.2, 10, 3.2, 10.12],
      MetaUnlearn: [84.4, 0, 82.9, 4.3, 80.9, 0.2, 97.4, 0.3, 19.05],
    },
  },
  mufac: {
    5: {
      Pretrain: [99.8, 0.1, 99.3, 1, 78.2, 0.7, 70.3, 10.3, 0.04],
      Retrain: [99.7, 0.1, 70, 11.4, 78.1, 0.4, null, null, null],
      "Bad Teacher": [99.7, 0, 67.3, 8.3, 77.5, 1.1, 94.4, 4.4, 0],
      SCRUB: [100, 0, 89, 3.8, 78, 0.8, 80.1, 9.9, 0.02],
      JiT: [99.7, 0.1, 99.3, 1, 77.8, 0.8, 70.1, 10.3, 0.02],
      PGU: [99.8, 0.1, 99.3, 1, 78.1, 0.6, 70.3, 10.3, 0.04],
      SSD: [15.2, 1.6, 14.4, 4, 15, 1.1, 2.5, 0.5, 0.01],
      MetaUnlearn: [99.6, 0.3, 98.5, 1, 78, 0.9, 70.8, 10.3, 0.03],
    },
    10: {
      Pretrain: [99.9, 0, 99.7, 0.5, 77.4, 0.7, 76.7, 7.6, 0.03],
      Retrain: [99.6, 0.4, 76.8, 7.4, 77.4, 0.7, null, null, null],
      "Bad Teacher": [99.7, 0, 67.9, 8, 77.2, 0.1, 90.2, 0.7, 0],
      SCRUB: [99.8, 0, 95.7, 2.7, 78.3, 0.3, 80.2, 5, 0.02],
      JiT: [99.7, 0.1, 99.7, 0.5, 76.9, 0.9, 76.4, 7.3, 0.03],
      PGU: [99.5, 0.3, 96.8, 2.3, 76.9, 1.1, 79, 9.1, 0.04],
      SSD: [12.3, 4.3, 15.3, 2.4, 12.5, 3.5, 1.7, 0.6, 0.01],
      MetaUnlearn: [96.3, 3.5, 91.8, 7.1, 74.1, 3.2, 79.1, 6.4, 0.04],
    },
  },
};
