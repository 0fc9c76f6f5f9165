import { range } from "../../data/loader/image_source.ts";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Samples } from "../../data/sample.ts";
import { samplesOf } from "../../data/split.ts";
import type { Model } from "../../model/checkpoint.ts";
import { predict, Predictor } from "../../model/predict.ts";
import { disposeWeights } from "../../tensor/weights.ts";
import type { Answers } from "../../unlearn/memory/divergence.ts";
import type { SplitData } from "../split_data.ts";
import { foldFolder, openFolds } from "./folds_file.ts";
import { peopleOf } from "./people_of.ts";
import { answersOf, foldTheta, Logits } from "./reference_answers.ts";

/**
 * What a split's fold models say of images of people whom they never saw.
 *
 * @param folder of the fold models
 * @param source image i shows `samples[i]`
 * @param samples the first of the source's, training people's all
 * @throws {LetheError} the fold models are another model's or split's, or not all there
 */
export async function foldAnswers(
  folder: string,
  model: Model,
  { split, dataset, sha256 }: SplitData,
  source: ImageFeed,
  samples: Samples,
  microBatch: number,
): Promise<Answers> {
  const { config } = model;
  const { identities } = peopleOf(samplesOf(split, dataset, "train"), 0);
  const folds = await openFolds(folder, model, sha256, identities.length);
  const rowOf = new Map(identities.map((identity, row) => [identity, row]));
  const answers = new Logits();
  // One for all fold models: they are of one shape.
  const predictor = new Predictor(config);
  for (const [set, foldOf] of folds.sets.entries()) {
    for (const fold of range(folds.count)) {
      const unseen = range(samples.length)
        .filter((i) => foldOf[rowOf.get(samples.at(i)!.identity)!] === fold);
      if (unseen.length === 0) continue;
      const theta = await foldTheta(foldFolder(folder, set, fold), config);
      const args = [source, unseen, microBatch, undefined, "logits", predictor] as const;
      const { logits } = await predict(theta, config, ...args);
      answers.add(unseen, logits, 1 / folds.sets.length);
      disposeWeights(theta);
    }
  }
  predictor.dispose();
  return answersOf(answers, config);
}
