import type { Device } from "../../tensor/device.ts";
import type { MetaEpoch } from "../../unlearn/meta_unlearn/meta_learn.ts";
import type { StatisticsChoice } from "../../unlearn/statistics_choice.ts";
import type { FoldChoice, MemoryChoice } from "../memory/remember_people.ts";
import type { OnProgress } from "../progress.ts";
import type { MethodSettingsChoice } from "./settings.ts";
import type { MetaLearnSettings } from "./settings.ts";

/** What `metaLearnKit` needs. */
export interface MetaLearnOptions {
  /** What computes. */
  readonly device: Device;
  /** Folder of the trained model. */
  readonly model: string;
  /** The split's file. */
  readonly split: string;
  /** The data set's folder. */
  readonly data: string;
  /** Kit folder to make; it must not exist. */
  readonly out: string;
  /** A file with the key to use; default: a new one, written beside the kit. */
  readonly identityKey?: string;
  /** How to meta-learn; may depend on how many people the split has to forget. */
  readonly settings: MetaLearnSettings | ((forgetCount: number) => MetaLearnSettings);
  /** Of all that is drawn. */
  readonly seed: number;
  /** Images per pass through the backbone; default 64, or as many as the memory holds. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** What SSD and PGU will need of the training images; default all. PGU's part is the largest. */
  readonly statistics?: StatisticsChoice;
  /** Where the settings of SSD, PGU and JiT come from; default published. */
  readonly methodSettings?: MethodSettingsChoice;
  /** Fold models, which `align` of `folds` follows; default those of the memory, or 5 beside the kit. */
  readonly folds?: FoldChoice;
  /** What the kit is to remember of each person; absent for nothing. */
  readonly memory?: MemoryChoice;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Called after each epoch. */
  readonly onEpoch?: (epoch: MetaEpoch) => void;
  /** Lines for people, such as after which epoch a stopped run goes on. */
  readonly onNotice?: (line: string) => void;
}
