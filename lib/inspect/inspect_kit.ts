import { join } from "@std/path";
import { CONFIG_FILE, MAX_CONFIG_BYTES } from "../model/checkpoint.ts";
import { parseConfig } from "../model/config.ts";
import { readPlainText } from "../files/plain_file.ts";
import { identityKeyPath, keyFingerprint, readIdentityKey } from "../model/kit/identity_key.ts";
import { MEMORY_FOLDER, rowFile } from "../model/kit/memory_index.ts";
import { readMemoryIndex } from "../model/kit/read_memory_index.ts";
import { usesOf } from "../model/kit/uses_record.ts";
import { readManifest } from "../model/kit/stored_manifest.ts";
import { methodsServed } from "../unlearn/check_method.ts";
import { counted, type Inspected, size, some } from "./inspected.ts";
import { shapeOf } from "./inspect_model.ts";

/**
 * A kit: where it stands in the chain of requests, how it unlearns, what is stale. Weights are not read.
 *
 * @throws {LetheError} its kit.json or config.json is damaged
 */
export async function inspectKit(path: string): Promise<Inspected> {
  const { manifest, id, sha256 } = await readManifest(path);
  const configPath = join(path, CONFIG_FILE);
  const config = await readPlainText(configPath, { maxBytes: MAX_CONFIG_BYTES })
    .then((text) => parseConfig(text, configPath));
  const files = await Promise.all(manifest.files.map(async ({ file, derivedFrom }) => {
    const bytes = await Deno.stat(join(path, file)).then((found) => found.size, () => null);
    return { file, bytes, derivedFrom };
  }));
  const missing = files.filter(({ bytes }) => bytes === null).map(({ file }) => file);
  const total = files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  const uses = await Promise.all((await usesOf(path, id)).map(async (use) => {
    const there = await readManifest(use.out).then((kit) => kit.id, () => null);
    const state = there === null
      ? "no longer there"
      : use.next === null || use.next === there
      ? "there"
      : "another kit lies there";
    return { ...use, state };
  }));
  const key = await readIdentityKey(identityKeyPath(path)).then(keyFingerprint, () => null);
  const known = key ?? manifest.keyFingerprint ?? null;
  const { unlearning, statistics, methods, metaLoss, identities, forgotten } = manifest;
  const memory = await readMemoryIndex(path, manifest);
  const perPerson = await Deno.stat(
    join(path, MEMORY_FOLDER, rowFile(memory?.people[0]?.person ?? "")),
  )
    .then((found) => found.size, () => null);
  const stale = [
    ...(statistics?.stale ? ["statistics of SSD and PGU"] : []),
    ...(memory?.stale ? ["what it remembers of people"] : []),
  ];
  return {
    kind: "kit",
    path,
    rows: [
      ["id", id],
      [
        "generation",
        `${manifest.generation}` +
        (manifest.parent === null ? ", as meta-learned" : `, of ${manifest.parent.slice(0, 16)}..`),
      ],
      ["model", shapeOf(config)],
      ["labels", some(config.labels, 12)],
      ["can forget", counted(identities.length, "person", "people")],
      ["has forgotten", counted(forgotten.length, "person", "people")],
      [
        "unlearning",
        `${counted(unlearning.requestSize, "person", "people")} a step, eta ` +
        `${unlearning.metaLearningRate}, ${unlearning.stepSizes} step sizes, from ` +
        unlearning.inputs.join(", "),
      ],
      ["meta-loss", `${metaLoss.hidden} hidden, embeddings of ${metaLoss.embeddingSize}`],
      ["methods", methodsServed(manifest).join(", ")],
      [
        "remembers",
        memory
          ? `${counted(memory.people.length, "person", "people")} at ` +
            `${memory.rank === null ? "full rank" : `rank ${memory.rank}`}` +
            `${memory.layers ? ` (layers: ${memory.layers})` : ""}, sealed, ` +
            `${perPerson === null ? "no bytes" : size(perPerson)} each`
          : "nobody",
      ],
      ...(memory?.match
        ? [
          [
            "photographs",
            `${inPercent(memory.match.refusesOthers)} of other people's are refused, and ` +
            `${inPercent(memory.match.refusesOwn)} of people's own, by those held out`,
          ] as const,
        ]
        : []),
      ["stale", stale.length === 0 ? "nothing" : some(stale)],
      ["size", `${size(total)} in ${files.length} files`],
      [
        "used",
        uses.length === 0 ? "no" : `by ${counted(uses.length, "request", "requests")}: ${
          some(
            uses.map(({ out, next, state }) =>
              `${out} (${state}${next === null ? "" : `, id ${next.slice(0, 16)}..`})`
            ),
          )
        }`,
      ],
      [
        "identity key",
        (key === null ? "not beside it" : "beside it") +
        (known === null ? "" : `, fingerprint ${known}`),
      ],
    ],
    notes: missing.map((file) => `${join(path, file)} is missing`),
    value: {
      kind: "kit",
      id,
      sha256,
      version: manifest.version,
      generation: manifest.generation,
      parent: manifest.parent,
      config,
      canForget: identities.length,
      forgotten: forgotten.length,
      unlearning,
      metaLoss,
      serves: methodsServed(manifest),
      ...(methods ? { methods } : {}),
      ...(statistics ? { statistics } : {}),
      ...(memory
        ? {
          memory: {
            people: memory.people.length,
            rank: memory.rank,
            layers: memory.layers ?? "all",
            bytesPerPerson: perPerson,
            match: memory.match,
            folds: memory.folds,
            heldOut: memory.heldOut,
          },
        }
        : {}),
      stale,
      files,
      bytes: total,
      uses,
      identityKey: known,
    },
  };
}

function inPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
