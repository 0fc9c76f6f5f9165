import type { Bad } from "./refuses.ts";
import { edit, empty, header, patch, remove, write } from "./spoil.ts";

const WEIGHTS = "model/model.safetensors";
/** The last by name, so its data come last. */
const LAST = "pos_embed";

/** Model folders with something amiss. */
export const BAD_WEIGHTS: readonly Bad[] = [
  ["truncated", `@${WEIGHTS}`, patch(WEIGHTS, (bytes) => bytes.slice(0, -1000))],
  ["nothing in it", `@${WEIGHTS} has 0 bytes`, write(WEIGHTS, "")],
  [
    "a header of 2^60 bytes",
    `@${WEIGHTS} announces a header of ${2n ** 60n}`,
    patch(
      WEIGHTS,
      (bytes) => bytes.with(7, 0x10).fill(0, 0, 7),
    ),
  ],
  [
    "tensors that overlap",
    `without overlaps`,
    header(WEIGHTS, (entries) => {
      entries["norm.weight"].data_offsets = entries["norm.bias"].data_offsets;
    }),
  ],
  [
    "offsets past the end",
    `tensor "${LAST}" ends at data byte`,
    header(WEIGHTS, (entries) => {
      const { shape, data_offsets } = entries[LAST];
      shape[0] *= 1000;
      data_offsets[1] = data_offsets[0] + 1000 * (data_offsets[1] - data_offsets[0]);
    }),
  ],
  [
    "another type",
    `@${WEIGHTS}: tensor head.bias is I32`,
    header(WEIGHTS, (entries) => {
      entries["head.bias"].dtype = "I32";
    }),
  ],
  [
    "an unknown type",
    `@${WEIGHTS}: tensor "head.bias"`,
    header(WEIGHTS, (entries) => {
      entries["head.bias"].dtype = "F8_E4M3";
    }),
  ],
  [
    "another shape",
    `@${WEIGHTS}: tensor head.bias is F32 of shape [3,4]`,
    header(
      WEIGHTS,
      (entries) => void (entries["head.bias"].shape = [3, 4]),
    ),
  ],
  [
    "another size in the config",
    `@${WEIGHTS}`,
    edit("model/config.json", (lines) => {
      return lines.map((line) => line.replace(/"depth": \d+/, '"depth": 7'));
    }),
  ],
  ["no config", "@model/config.json does not exist", remove("model/config.json")],
];

const MODEL = "kit/model.safetensors";
const META_LOSS = "kit/meta_loss.safetensors";

/** Kits with something amiss. */
export const BAD_KITS: readonly Bad[] = [
  ["an empty kit", "@kit is empty", empty("kit"), 2],
  ["a kit without kit.json", "@kit/kit.json does not exist", remove("kit/kit.json")],
  ["a kit without its key", "@kit.identity-key does not exist", remove("kit.identity-key")],
  ["a key that is none", "@kit.identity-key holds no identity key", write("kit.identity-key", "a")],
  ["a missing file", `@${META_LOSS} does not exist`, remove(META_LOSS)],
  ["an extra file", "@kit/a.json is not named in kit.json", write("kit/a.json", "{}")],
  ["other weights", `@${MODEL} has SHA-256`, patch(MODEL, (bytes) => bytes.with(-1, 1))],
  ["another meta-loss", `@${META_LOSS} has SHA-256`, patch(META_LOSS, (b) => b.with(-1, 1))],
  [
    "another eta",
    "@kit/kit.json: unlearning: metaLearningRate is -1",
    edit("kit/kit.json", (lines) => {
      return lines.map((line) =>
        line.replace(/"metaLearningRate": [\d.]+/, '"metaLearningRate": -1')
      );
    }),
  ],
];
