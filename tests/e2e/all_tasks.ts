import type { Command } from "../../cli/command/command.ts";
import type { OptionTable } from "../../cli/command/options.ts";
import { accept } from "../../tasks/accept.ts";
import { audit } from "../../tasks/audit.ts";
import { bench } from "../../tasks/bench.ts";
import { benchmark } from "../../tasks/benchmark.ts";
import { benchmarkSlurm } from "../../tasks/benchmark_slurm.ts";
import { benchPytorch } from "../../tasks/bench_pytorch.ts";
import { demo } from "../../tasks/demo.ts";
import { evaluate } from "../../tasks/evaluate.ts";
import { exportTask } from "../../tasks/export.ts";
import { importTask } from "../../tasks/import.ts";
import { inspect } from "../../tasks/inspect.ts";
import { ledger } from "../../tasks/ledger.ts";
import { metaLearn } from "../../tasks/meta_learn.ts";
import { portraits } from "../../tasks/portraits.ts";
import { predict } from "../../tasks/predict.ts";
import { report } from "../../tasks/report.ts";
import { selfcheck } from "../../tasks/selfcheck.ts";
import { split } from "../../tasks/split.ts";
import { tables } from "../../tasks/tables.ts";
import { train } from "../../tasks/train.ts";
import { unlearn } from "../../tasks/unlearn.ts";
import { unlearnWithData } from "../../tasks/unlearn_with_data.ts";
import type { TaskName } from "./run_task.ts";

/** Every task of deno.json as the command that it runs. */
export const TASKS: Readonly<Record<TaskName, Command<OptionTable>>> = {
  demo,
  portraits,
  split,
  train,
  import: importTask,
  inspect,
  "meta-learn": metaLearn,
  unlearn,
  "unlearn-with-data": unlearnWithData,
  audit,
  accept,
  evaluate,
  export: exportTask,
  ledger,
  benchmark,
  "benchmark-slurm": benchmarkSlurm,
  predict,
  report,
  selfcheck,
  tables,
  bench,
  "bench-pytorch": benchPytorch,
};

/** Tasks for whoever works on Lethe itself: other programs' commands, without help of their own. */
export const HOUSEKEEPING: readonly string[] = [
  "test",
  "test-long",
  "fmt",
  "lint",
  "check",
  "ok",
  "hooks",
];
