import { dirname, join } from "@std/path";
import { UsageError } from "../error.ts";
import { sameWeights } from "../model/same_weights.ts";
import { trainingNotes } from "../model/training_notes.ts";
import { otherSplitNotice } from "./trained_split.ts";

/** What {@link oracleNotes} holds against each other. */
export interface OracleFolders {
  /** The model that is taken for the oracle. */
  readonly retrained: string;
  /** The models that are measured by it. */
  readonly models: readonly string[];
  /** SHA-256 of the split's content. */
  readonly split: string;
}

/**
 * Whether a model can be what the others are measured by: one that never saw the people to forget.
 * `history.json` beside its weights tells, where `train` wrote it.
 *
 * @returns what a reader of the figures has to know, a line each; nothing where all is as it should be
 * @throws UsageError it was trained with the people to forget of this split
 */
export async function oracleNotes(
  { retrained, models, split }: OracleFolders,
): Promise<string[]> {
  const notes = await trainingNotes(retrained);
  const sameSplit = notes.split === null ? null : notes.split === split;
  if (notes.withoutForget === false && sameSplit === true) {
    throw new UsageError(
      `${retrained} was trained with the people to forget`,
      "the oracle is the model retrained without them",
      "name the model that `deno task train --without-forget` made",
    );
  }
  const told: string[] = [];
  for (const model of models) {
    if (await sameWeights(model, retrained)) {
      told.push(`${model} is the retrained model itself: its Tug-of-War is 100 whatever it forgot`);
    }
  }
  if (notes.withoutForget === null) {
    const isOutput = await exists(join(retrained, "unlearning.json")) ||
      await exists(join(retrained, "..", "summary.json"));
    told.push(
      isOutput
        ? `${retrained} is what unlearning left, not a model retrained without the people to forget`
        : `${retrained} does not tell how it was trained: that it never saw the people to forget is taken on trust`,
    );
  } else if (notes.withoutForget === false) {
    told.push(
      `${retrained} was trained without leaving out a split's people to forget: Tug-of-War holds only ` +
        "if they were not in its training images",
    );
  } else if (sameSplit === false) {
    told.push(`${retrained} was trained without the people to forget of another split than this`);
  }
  return told;
}

/**
 * Refuses weights for an oracle to start from that saw the people whom it is to do without.
 *
 * @param init model folder, or a weights file in one
 * @param split SHA-256 of the split's content
 * @throws UsageError they were trained with the people to forget of this split
 */
export async function checkOracleStart(init: string, split: string): Promise<void> {
  const isFolder = await Deno.stat(init).then(({ isDirectory }) => isDirectory, () => true);
  const notes = await trainingNotes(isFolder ? init : dirname(init));
  if (notes.withoutForget !== false || notes.split !== split) return;
  throw new UsageError(
    `${init} was trained with the people to forget`,
    "what starts from it with --without-forget would be no model that never saw them",
    "start from other weights, or leave --init out",
  );
}

/**
 * What has to be known of a model before it is unlearned or measured: that it never saw the people to
 * forget, or that it was trained on another split's people; null where neither is told.
 *
 * @param what is made of it: `its kit`
 * @param split SHA-256 of the split's content
 */
export async function oracleNotice(
  model: string,
  what: string,
  split: string,
): Promise<string | null> {
  const so = `${what} is of people some of whom it never saw`;
  const other = await otherSplitNotice(model, so, split);
  if (other !== null) return other;
  return (await trainingNotes(model)).withoutForget
    ? `${model} was trained without the people to forget: ${what} serves for comparison alone`
    : null;
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}
