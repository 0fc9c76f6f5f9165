import { openUnnamedFile } from "../files/unnamed_file.ts";

/** Scores and targets of one label, in the order of the images. */
export interface ScoreColumn {
  readonly scores: Float32Array;
  /** 0 or 1. */
  readonly targets: Uint8Array;
}

/** Rows of scores that come one after the other and are asked for label by label, as mAP needs them. */
export interface ScoreColumns extends Disposable {
  /** Adds rows, [n, labels]. */
  add(scores: Float32Array, targets: Uint8Array): void;
  /** Of all rows added so far, until the next column is asked for. @param label from 0 on */
  column(label: number): ScoreColumn;
}

/** Bytes that stay in memory: 40 labels of 5,000 images. */
const IN_MEMORY = 2 ** 20;
/** Bytes of a block of rows that goes to the file. */
const BLOCK = 2 ** 19;
/** A score and a target. */
const BYTES = 5;

/**
 * Opens columns for so many images. Where they take more than `inMemory` bytes they go, block by block, to
 * an unnamed file: average precision ranks all images of a label, but one label at a time. Where there is
 * no place for it, they stay in memory.
 */
export function openScoreColumns(
  labels: number,
  images: number,
  inMemory = IN_MEMORY,
): ScoreColumns {
  const fits = labels * images * BYTES <= inMemory;
  const most = fits ? images : Math.max(1, Math.min(images, Math.floor(BLOCK / (labels * BYTES))));
  const file = fits ? null : openUnnamedFile();
  /** Full blocks: where one lies in the file, or itself. */
  const full: (number | Block)[] = [];
  let block = newBlock(labels, most);
  let column: ScoreColumn | undefined;
  const putAway = () => {
    const at = file?.append(block.scores, block.targets) ?? null;
    full.push(at ?? block);
    if (at === null) block = newBlock(labels, most);
    else block.rows = 0;
  };
  return {
    add(scores, targets) {
      const rows = targets.length / labels;
      for (let row = 0; row < rows; row++) {
        if (block.rows === most) putAway();
        for (let label = 0; label < labels; label++) {
          const place = label * most + block.rows;
          block.scores[place] = scores[row * labels + label];
          block.targets[place] = targets[row * labels + label];
        }
        block.rows++;
      }
    },
    column(label) {
      const rows = full.length * most + block.rows;
      // The same memory for each: forty of them would wait for the collector.
      if (column?.scores.length !== rows) {
        column = { scores: new Float32Array(rows), targets: new Uint8Array(rows) };
      }
      const into = column;
      [...full, block].forEach((own, i) => {
        const scores = into.scores.subarray(i * most, (i + 1) * most);
        const targets = into.targets.subarray(i * most, (i + 1) * most);
        if (typeof own === "number") {
          file!.read(own + 4 * label * most, scores);
          file!.read(own + 4 * labels * most + label * most, targets);
        } else {
          scores.set(own.scores.subarray(label * most, label * most + scores.length));
          targets.set(own.targets.subarray(label * most, label * most + targets.length));
        }
      });
      return into;
    },
    [Symbol.dispose]: () => file?.[Symbol.dispose](),
  };
}

/** Rows, label after label. */
interface Block {
  readonly scores: Float32Array;
  readonly targets: Uint8Array;
  /** How many are there. */
  rows: number;
}

function newBlock(labels: number, rows: number): Block {
  const size = labels * rows;
  return { scores: new Float32Array(size), targets: new Uint8Array(size), rows: 0 };
}
