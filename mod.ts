/**
 * Lethe makes a vision model forget a person from one photo, without the training data.
 *
 * It implements De Min et al., "Unlearning Personal Data from a Single Image" (TMLR 03/2025): the
 * 1-SHUI benchmark and MetaUnlearn. Every `deno task` is one of these functions.
 *
 * ```ts
 * import { openDevice, unlearnRequests } from "./mod.ts";
 *
 * const device = await openDevice("auto");
 * const summary = await unlearnRequests({
 *   device,
 *   kit: "fixtures/kit",
 *   support: "fixtures/requests",
 *   out: "unlearned",
 *   sample: true,
 * });
 * console.log(summary.people, summary.weights.after);
 * ```
 *
 * @module
 */

export { LetheError, UsageError } from "./lib/error.ts";
export { type Device, type DeviceChoice, openDevice } from "./lib/tensor/device.ts";
export type { OnProgress, ProgressEvent } from "./lib/run/progress.ts";

export { type PortraitOptions, writePortraits } from "./lib/data/portraits/write_portraits.ts";
export { PRIVATE_LABELS, VISIBLE_LABELS } from "./lib/data/portraits/labels.ts";
export { openDataset } from "./lib/data/open_dataset.ts";
export type { Dataset, DatasetName, Sample, Task } from "./lib/data/sample.ts";
export { hashImages } from "./lib/data/loader/image_store.ts";
export { makeSplit, samplesOf, type Split, type SplitPart } from "./lib/data/split.ts";
export { readSplit, writeSplit } from "./lib/data/split_file.ts";
export { exportRequests } from "./lib/data/requests/export_requests.ts";
export { type ForgetRequest, readRequests } from "./lib/data/requests/requests.ts";

export { type Model, readModel, writeModel } from "./lib/model/checkpoint.ts";
export { type ModelConfig, type Preset, type PresetName, PRESETS } from "./lib/model/config.ts";
export { TRAINING_RECIPES, type TrainingRecipe } from "./lib/model/recipes.ts";
export { type Kit, readKit, type StoredKit, writeKit } from "./lib/model/kit/kit.ts";
export type { KitManifest } from "./lib/model/kit/kit_manifest.ts";
export type { KitStatistics, StatisticsRecord } from "./lib/model/kit/kit_statistics.ts";
export type { KitMethodSettings } from "./lib/model/kit/method_settings.ts";
export { META_LOSS_INPUTS, type MetaLossInput } from "./lib/model/meta_loss_inputs.ts";

export { importModel, type ImportOptions } from "./lib/run/import_model.ts";
export { trainModel, type TrainModelOptions } from "./lib/run/train_model.ts";
export type { Epoch } from "./lib/model/train.ts";
export { metaLearnKit, type MetaLearnOptions } from "./lib/run/meta_learn_kit.ts";
export type { MetaLearnSettings } from "./lib/run/meta_learning/settings.ts";
export type { HeldOut, Keep, MetaEpoch } from "./lib/unlearn/meta_unlearn/meta_learn.ts";
export type {
  AuxiliaryForm,
  Distance,
  Terms,
} from "./lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
export { type UnlearnOptions, unlearnRequests } from "./lib/run/unlearn_requests.ts";
export type { MethodChoice } from "./lib/unlearn/unlearn_from_kit.ts";
export {
  type DataUnlearning,
  unlearnWithData,
  type UnlearnWithDataOptions,
} from "./lib/run/unlearn_with_data.ts";
export {
  BASELINES,
  DATA_METHODS,
  KIT_METHODS,
  type MethodName,
  methodOf,
  METHODS,
  type MethodSettings,
  publishedSettings,
} from "./lib/unlearn/methods.ts";
export type {
  Method,
  Need,
  RequestImages,
  Setting,
  UnlearningContext,
} from "./lib/unlearn/methods/method.ts";
export {
  disposeStatistics,
  type StatisticsChoice,
  type TrainingStatistics,
  trainingStatistics,
} from "./lib/unlearn/training_statistics.ts";
export type { UnlearnSummary } from "./lib/run/unlearn_summary.ts";
export {
  unlearnContained,
  type UnlearnContainedOptions,
} from "./lib/audit/sandbox/unlearn_contained.ts";
export type { ContainedRun } from "./lib/audit/sandbox/contained_run.ts";
export type { LayerOutcome, LayerState } from "./lib/audit/layers/layer.ts";
export {
  evaluateModels,
  type EvaluateOptions,
  type EvaluationReport,
  type ModelEvaluation,
} from "./lib/run/evaluate_model.ts";
export { type ImagePrediction, predictImages } from "./lib/run/predict_images.ts";
export { demo, type DemoMethod, type DemoReport } from "./lib/run/demo.ts";

export { averagePrecision, meanAveragePrecision } from "./lib/measure/average_precision.ts";
export { accuracy } from "./lib/measure/accuracy.ts";
export type { Evaluation } from "./lib/measure/evaluation.ts";
export { type PartMetrics, tugOfWar } from "./lib/measure/eq7_tug_of_war.ts";
export { type Golden, readGolden } from "./lib/selfcheck/golden.ts";
export { selfcheck } from "./lib/selfcheck/selfcheck.ts";
export type { SelfcheckGroup } from "./lib/selfcheck/compare_golden.ts";

export { parseGridSettings } from "./lib/benchmark/parse_settings.ts";
export { GRID_PRESETS } from "./lib/benchmark/presets.ts";
export type { GridSettings } from "./lib/benchmark/settings.ts";
export { type GridOptions, type GridOutcome, runGrid } from "./lib/benchmark/run_grid.ts";
export type { BenchmarkResults } from "./lib/benchmark/results.ts";
export type { Receipt } from "./lib/audit/receipt/receipt.ts";
export { readReceipt } from "./lib/audit/receipt/receipt_file.ts";
export { type VerifyOptions, verifyReceipt } from "./lib/audit/verify/verify_receipt.ts";

// What the above is written in terms of.
export type { LimitOptions } from "./lib/audit/receipt/declared_limits.ts";
export type { SandboxChoice } from "./lib/audit/sandbox/containment.ts";
export type { UnlearnSettings } from "./lib/audit/sandbox/job.ts";
export type {
  Analysis,
  CellResult,
  SequenceResult,
  SplitResult,
  SummaryRow,
} from "./lib/benchmark/results.ts";
export type { Ablation, DataSettings, MeasureSettings } from "./lib/benchmark/settings.ts";
export type { Augmentation } from "./lib/data/images/random_crop.ts";
export type { InputVersion, StoredForm } from "./lib/data/images/stored_form.ts";
export type { ImageFeed } from "./lib/data/loader/image_source.ts";
export type { Progress } from "./lib/data/loader/image_store.ts";
export type { LabelSet, RequestFiles, RequestRow } from "./lib/data/requests/request_rows.ts";
export { DATASET_NAMES, type UnreadRows } from "./lib/data/sample.ts";
export type { IdentityPart } from "./lib/data/split.ts";
export type { KitChoice, SealedMemory } from "./lib/model/kit/kit.ts";
export type { KitFile, KitUnlearning, StepRange } from "./lib/model/kit/kit_manifest.ts";
export type { MemoryRow } from "./lib/model/kit/memory_row.ts";
export type { StoredManifest } from "./lib/model/kit/stored_manifest.ts";
export type { Weight } from "./lib/model/safetensors.ts";
export type { VitShape } from "./lib/model/vit.ts";
export type { WeightChange } from "./lib/model/weight_change.ts";
export { Random } from "./lib/random.ts";
export { MEASURED_PARTS } from "./lib/run/evaluate_model.ts";
export type { ImportedModel } from "./lib/run/import_model.ts";
export type { MethodSettingsChoice } from "./lib/run/kit_for_methods.ts";
export { ROW_LAYERS, type RowLayers } from "./lib/model/kit/row_layers.ts";
export type { FoldChoice, MemoryChoice } from "./lib/run/memory/remember_people.ts";
export type { PlanOptions } from "./lib/run/unlearn_plan.ts";
export type { KernelChoice } from "./lib/tensor/kernels/autotune/kernel_choice.ts";
export type { StepVerdict } from "./lib/unlearn/judge_step.ts";
export type { Backbone } from "./lib/unlearn/logit_gradient.ts";
export type { Answers } from "./lib/unlearn/memory/divergence.ts";
export {
  ALIGN,
  type Align,
  TERMS,
} from "./lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
export type { MetaLearningRecipe } from "./lib/unlearn/meta_unlearn/meta_learn.ts";
export type { PublishedRow, Unlearned } from "./lib/unlearn/methods/method.ts";
export { STATISTICS_CHOICES } from "./lib/unlearn/training_statistics.ts";
export type { UnlearnedFromKit } from "./lib/unlearn/unlearn_from_kit.ts";
export {
  ABLATIONS,
  type MetaLearningOverrides,
  type MethodSettings as GridMethodSettings,
  type PortraitSizes,
  type TrainingOverrides,
} from "./lib/benchmark/settings.ts";
export type {
  ForgottenOutcome,
  ForgottenPerson,
  MeanAndDeviation,
  RetainedPerson,
  SequenceStep,
  SplitName,
} from "./lib/benchmark/results.ts";
export { IDENTITY_PARTS } from "./lib/data/split.ts";
export type { ImageBatch } from "./lib/data/loader/image_source.ts";
export type { ProductChoice } from "./lib/tensor/kernels/autotune/product_choice.ts";
export type { RowTensor } from "./lib/model/kit/memory_row.ts";
export { METHOD_SETTINGS_CHOICES } from "./lib/run/kit_for_methods.ts";
export type { PublishedLayout } from "./lib/unlearn/methods/method.ts";
export type { RandomState } from "./lib/random.ts";
export { SANDBOX_CHOICES } from "./lib/audit/sandbox/containment.ts";
export type { MemoryIndex } from "./lib/model/kit/memory_index.ts";
export type { WeightType } from "./lib/model/safetensors.ts";
export type { Kind } from "./lib/files/json_fields.ts";
export type {
  BaselineMethodSettings,
  MemoryMethodSettings,
  MemoryTuning,
  MetaUnlearnSettings,
} from "./lib/benchmark/settings.ts";
export type { MemoriseRecipe } from "./lib/unlearn/memory/memory_context.ts";
export type { IndexedRow, PhotographMatch, RequestScale } from "./lib/model/kit/memory_index.ts";
