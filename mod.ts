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

// What everything else speaks of: errors, randomness, kinds of fields, devices.
export { LetheError, UsageError } from "./lib/error.ts";
export { Random, type RandomState } from "./lib/random.ts";
export type { Kind } from "./lib/files/json_kinds.ts";
export { DEVICE_CHOICES, type DeviceChoice } from "./lib/tensor/choices.ts";
export { type Device, openDevice } from "./lib/tensor/device.ts";
export type { KernelChoice } from "./lib/tensor/kernels/autotune/kernel_choice.ts";
export type { ProductChoice } from "./lib/tensor/kernels/autotune/product_choice.ts";

// Images, people and their split; requests; drawn portraits.
export type { Augmentation } from "./lib/data/images/random_crop.ts";
export type { InputVersion, StoredForm } from "./lib/data/images/stored_form.ts";
export type { ImageBatch, ImageFeed } from "./lib/data/loader/image_source.ts";
export { hashImages, type Progress } from "./lib/data/loader/image_store.ts";
export { openDataset } from "./lib/data/open_dataset.ts";
export { PRIVATE_LABELS, VISIBLE_LABELS } from "./lib/data/portraits/labels.ts";
export { type PortraitOptions, writePortraits } from "./lib/data/portraits/write_portraits.ts";
export { exportRequests } from "./lib/data/requests/export_requests.ts";
export type { LabelSet, RequestFiles, RequestRow } from "./lib/data/requests/request_rows.ts";
export { type ForgetRequest, readRequests } from "./lib/data/requests/requests.ts";
export {
  type Dataset,
  DATASET_NAMES,
  type DatasetName,
  type Sample,
  type Samples,
  type Task,
  type UnreadRows,
} from "./lib/data/sample.ts";
export {
  IDENTITY_PARTS,
  type IdentityPart,
  makeSplit,
  samplesOf,
  type Split,
  type SplitPart,
} from "./lib/data/split.ts";
export { readSplit, writeSplit } from "./lib/data/split_file.ts";

// Models and kits.
export { type Model, readModel, writeModel } from "./lib/model/checkpoint.ts";
export { type ModelConfig, type Preset, type PresetName, PRESETS } from "./lib/model/config.ts";
export type { Kit, SealedMemory, StoredKit } from "./lib/model/kit/kit.ts";
export { type KitChoice, readKit } from "./lib/model/kit/read_kit.ts";
export { writeKit } from "./lib/model/kit/write_kit.ts";
export type {
  KitFile,
  KitManifest,
  KitUnlearning,
  StepRange,
} from "./lib/model/kit/kit_manifest.ts";
export type { TrainingImages } from "./lib/model/kit/training_images.ts";
export type { KitStatistics, StatisticsRecord } from "./lib/model/kit/kit_statistics.ts";
export type {
  IndexedRow,
  MemoryIndex,
  PhotographMatch,
  RequestScale,
} from "./lib/model/kit/memory_index.ts";
export type { MemoryRow, RowTensor } from "./lib/model/kit/memory_row.ts";
export type { KitMethodSettings } from "./lib/model/kit/method_settings.ts";
export { ROW_LAYERS, type RowLayers } from "./lib/model/kit/row_layers.ts";
export type { StoredManifest } from "./lib/model/kit/stored_manifest.ts";
export { META_LOSS_INPUTS, type MetaLossInput } from "./lib/model/meta_loss/meta_loss_inputs.ts";
export { TRAINING_RECIPES, type TrainingRecipe } from "./lib/model/recipes.ts";
export type { Weight, WeightType } from "./lib/model/safetensors.ts";
export type { Epoch } from "./lib/model/train.ts";
export type { VitShape } from "./lib/model/vit.ts";
export type { WeightChange } from "./lib/model/weight_change.ts";

// Methods of unlearning, and the meta-loss.
export type { StepVerdict } from "./lib/unlearn/judge_step.ts";
export type { Backbone } from "./lib/unlearn/logit_gradient.ts";
export type { Answers } from "./lib/unlearn/memory/divergence.ts";
export type { MemoriseRecipe } from "./lib/unlearn/memory/memory_context.ts";
export {
  ALIGN,
  type Align,
  type AuxiliaryForm,
  type Distance,
  TERMS,
  type Terms,
} from "./lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
export type {
  HeldOut,
  Keep,
  MetaEpoch,
  MetaLearningRecipe,
} from "./lib/unlearn/meta_unlearn/meta_learn.ts";
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
  PublishedLayout,
  PublishedRow,
  RequestImages,
  Setting,
  Unlearned,
  UnlearningContext,
} from "./lib/unlearn/methods/method.ts";
export { STATISTICS_CHOICES, type StatisticsChoice } from "./lib/unlearn/statistics_choice.ts";
export {
  disposeStatistics,
  type TrainingStatistics,
  trainingStatistics,
} from "./lib/unlearn/training_statistics.ts";
export type { MethodChoice, UnlearnedFromKit } from "./lib/unlearn/unlearn_from_kit.ts";

// What each task does: files in, files out.
export { demo, type DemoMethod, type DemoReport } from "./lib/run/demo.ts";
export {
  evaluateModels,
  type EvaluateOptions,
  type EvaluationReport,
  type ModelEvaluation,
} from "./lib/run/evaluate_model.ts";
export { type ImportedModel, importModel, type ImportOptions } from "./lib/run/import_model.ts";
export {
  METHOD_SETTINGS_CHOICES,
  type MethodSettingsChoice,
  PUBLISHED_META_LEARNING,
} from "./lib/run/meta_learning/settings.ts";
export type { FoldChoice, MemoryChoice } from "./lib/run/memory/remember_people.ts";
export { metaLearnKit, type MetaLearnOptions } from "./lib/run/meta_learn_kit.ts";
export type { MetaLearnSettings } from "./lib/run/meta_learning/settings.ts";
export { type ImagePrediction, predictImages } from "./lib/run/predict_images.ts";
export type { OnProgress, ProgressEvent } from "./lib/run/progress.ts";
export { trainModel, type TrainModelOptions } from "./lib/run/train_model.ts";
export type { PlanOptions } from "./lib/run/unlearn_plan.ts";
export { type UnlearnOptions, unlearnRequests } from "./lib/run/unlearn_requests.ts";
export type { UnlearnSummary } from "./lib/run/unlearn_summary.ts";
export {
  type DataUnlearning,
  unlearnWithData,
  type UnlearnWithDataOptions,
} from "./lib/run/unlearn_with_data.ts";

// Metrics, and PyTorch's numbers again.
export { accuracy } from "./lib/measure/accuracy.ts";
export { averagePrecision, meanAveragePrecision } from "./lib/measure/average_precision.ts";
export { type PartMetrics, tugOfWar } from "./lib/measure/eq7_tug_of_war.ts";
export { type Evaluation, MEASURED_PARTS } from "./lib/measure/evaluation.ts";
export type { SelfcheckGroup } from "./lib/selfcheck/compare_golden.ts";
export { type Golden, readGolden } from "./lib/selfcheck/golden.ts";
export { selfcheck } from "./lib/selfcheck/selfcheck.ts";

// The benchmark.
export { parseGridSettings } from "./lib/benchmark/parse_settings.ts";
export { GRID_PRESETS } from "./lib/benchmark/presets.ts";
export type {
  Analysis,
  BenchmarkResults,
  CellResult,
  ForgottenOutcome,
  ForgottenPerson,
  MeanAndDeviation,
  RetainedPerson,
  SequenceResult,
  SequenceStep,
  SplitName,
  SplitResult,
  SummaryRow,
} from "./lib/benchmark/results.ts";
export { type GridOptions, type GridOutcome, runGrid } from "./lib/benchmark/run_grid.ts";
export {
  type Ablation,
  ABLATIONS,
  type BaselineMethodSettings,
  type DataSettings,
  type GridSettings,
  type MeasureSettings,
  type MemoryMethodSettings,
  type MemoryTuning,
  type MetaLearningOverrides,
  type MetaUnlearnSettings,
  type MethodSettings as GridMethodSettings,
  type PortraitSizes,
  type TrainingOverrides,
} from "./lib/benchmark/settings.ts";

// Unlearning in its walls, its receipt, and whether that holds.
export type { LayerOutcome, LayerState } from "./lib/audit/layers/layer.ts";
export type { LimitOptions } from "./lib/audit/receipt/declared_limits.ts";
export type { Receipt } from "./lib/audit/receipt/receipt.ts";
export { readReceipt } from "./lib/audit/receipt/receipt_file.ts";
export type { ContainedRun } from "./lib/audit/sandbox/contained_run.ts";
export { SANDBOX_CHOICES, type SandboxChoice } from "./lib/audit/sandbox/sandbox_choice.ts";
export type { UnlearnSettings } from "./lib/audit/sandbox/job.ts";
export {
  unlearnContained,
  type UnlearnContainedOptions,
} from "./lib/audit/sandbox/unlearn_contained.ts";
export { type VerifyOptions, verifyReceipt } from "./lib/audit/verify/verify_receipt.ts";
