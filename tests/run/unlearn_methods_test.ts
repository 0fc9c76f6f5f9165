import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { imagesInMemory } from "../../lib/data/loader/images_in_memory.ts";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import { LetheError } from "../../lib/error.ts";
import { uploadWeights } from "../../lib/model/device_weights.ts";
import {
  identityHash,
  identityKeyPath,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import type { Kit } from "../../lib/model/kit/kit.ts";
import { readKit } from "../../lib/model/kit/read_kit.ts";
import { writeKit } from "../../lib/model/kit/write_kit.ts";
import type { StepRange } from "../../lib/model/kit/kit_manifest.ts";
import type { MethodName } from "../../lib/unlearn/methods.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { unlearnRequests } from "../../lib/run/unlearn_requests.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { dampen, importances } from "../../lib/unlearn/compared/ssd.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { kitWithStatistics } from "../model/kit_with_statistics.ts";
import { SMALL_CONFIG } from "../model/small_kit.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { inputFormat } from "../../lib/model/input_format.ts";
import { storedSource } from "../../lib/data/loader/stored_source.ts";

const PEOPLE = ["Ada", "Bea", "Cid"];
const SIDE = SMALL_CONFIG.imageSize;
/** Pixels of person k's photograph. */
const pixels = (k: number) =>
  Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * (k + 3) * 37) % 256);

/** `kit/` with its key and a folder of requests for each person: `0/`, `1/`, `2/`. */
async function prepare(folder: string, change: (kit: Kit) => Kit = (kit) => kit): Promise<void> {
  const key = newIdentityKey();
  const hashes = PEOPLE.map((person) => identityHash(key, person)).sort();
  await writeKit(join(folder, "kit"), change(kitWithStatistics(hashes)));
  await writeIdentityKey(identityKeyPath(join(folder, "kit")), key);
  for (const [k, person] of PEOPLE.entries()) {
    await Deno.mkdir(join(folder, `${k}`));
    const png = encodePng({ width: SIDE, height: SIDE, rgb: pixels(k) });
    await Deno.writeFile(join(folder, `${k}`, `${person}.png`), png);
    const csv = `file,identity,smiling,hat\n${person}.png,${person},1,0\n`;
    await Deno.writeTextFile(join(folder, `${k}`, "requests.csv"), csv);
  }
}

const values = (theta: ReadonlyMap<string, Weight>) =>
  [...theta].sort().map(([name, weight]) => [name, [...weight.values]] as const);

for (
  const method of ["ssd", "pgu", "jit", "influence", "metaunlearn"] as const satisfies MethodName[]
) {
  onEachDevice(
    `unlearnRequests serves one request after another by ${method}, from the kit that the last one left`,
    (device) =>
      inTemporaryFolder(async (folder) => {
        await prepare(folder);
        const at = (name: string) => join(folder, name);
        const before = await readKit(at("kit"));
        let kit = "kit";
        for (const [k, out] of ["first", "second"].entries()) {
          const choice = { method };
          const identityKey = at("kit.identity-key");
          const paths = { kit: at(kit), support: at(`${k}`), out: at(out), identityKey };
          const run = { device, ...paths, choice };
          const summary = await unlearnRequests(run);
          assertEquals([summary.method, summary.people], [method, 1]);
          const due = method === "metaunlearn"
            ? { metaLearningRate: 0.1 }
            : before.manifest.methods![method];
          assertEquals(summary.settings, due);
          const usesStatistics = ["ssd", "pgu", "influence"].includes(method);
          assertEquals(summary.staleStatistics, usesStatistics && k === 1);
          const next = await readKit(at(`${out}/kit`));
          const last = await readKit(at(kit));
          assertNotEquals(values(next.model.theta), values(last.model.theta));
          assertEquals(next.manifest.identities.length, 2 - k);
          assertEquals(next.manifest.statistics, { images: 12, batchSize: 4, stale: true });
          assertEquals(next.statistics, before.statistics);
          assertEquals(next.manifest.methods, before.manifest.methods);
          kit = `${out}/kit`;
        }
      }),
  );
}

for (const method of ["ssd", "pgu", "jit", "metaunlearn"] as const satisfies MethodName[]) {
  onEachDevice(
    `unlearnRequests by ${method} uses both photographs of a person, one picture once, and forgets one person`,
    (device) =>
      inTemporaryFolder(async (folder) => {
        await prepare(folder);
        const run = async (name: string, pictures: Record<string, number>) => {
          await Deno.mkdir(join(folder, name));
          for (const [file, k] of Object.entries(pictures)) {
            const png = encodePng({ width: SIDE, height: SIDE, rgb: pixels(k) });
            await Deno.writeFile(join(folder, name, file), png);
          }
          const [kit, out] = [join(folder, "kit"), join(folder, `${name}-out`)];
          const support = join(folder, name);
          const choice = { method };
          const run = { device, kit, support, out, choice, sample: true };
          const { people, photographs, weights, steps } = await unlearnRequests(run);
          const { manifest } = await readKit(join(out, "kit"));
          assertEquals([manifest.identities.length, manifest.forgotten.length], [2, 1]);
          assertEquals(steps.map(({ people }) => people), [1]);
          return { people, photographs, after: weights.after };
        };
        const one = await run("one", { "Ada.png": 0 });
        assertEquals([one.people, one.photographs], [1, 1]);
        assertEquals(await run("copied", { "Ada.2.png": 0, "Ada.png": 0 }), one);
        const two = await run("two", { "Ada.png": 0, "Ada.2.png": 1 });
        assertEquals([two.people, two.photographs], [1, 2]);
        assertNotEquals(two.after, one.after);
        // Neither order nor names tell more.
        assertEquals(await run("swapped", { "Ada.png": 0, "Ada.3.png": 1 }), two);
      }),
  );
}

onEachDevice(
  "unlearnRequests by SSD dampens by the kit's importances and the settings given",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder);
      const at = (name: string) => join(folder, name);
      const kit = await readKit(at("kit"));
      const theta = uploadWeights(kit.model.theta);
      const training = uploadWeights(kit.statistics!.importances!);
      const images = imagesInMemory(SIDE, pixels(1), ["Bea.png"]);
      const sample = { file: "Bea.png", identity: "Bea", targets: [1, 0] };
      const source = storedSource(images, [sample], inputFormat(SMALL_CONFIG));
      const backbone = { shape: SMALL_CONFIG, microBatch: 1 };
      const own = await importances(theta, backbone, "multi-label", source, [0], 1);
      const set = { selection: 0.125, dampening: 0.5 };
      const due = dampen(theta, training, own, set);

      const choice = { method: "ssd", set } as const;
      const options = { device, kit: at("kit"), support: at("1"), out: at("out"), choice };
      assertEquals((await unlearnRequests(options)).settings, set);
      const { model } = await readKit(at("out/kit"));
      for (const [name, tensor] of Object.entries(due)) {
        assertEquals(model.theta.get(name)!.values, await tensor.data());
      }
      for (const weights of [theta, training, own, due]) disposeWeights(weights);
    }),
);

onEachDevice(
  "unlearnRequests by JiT repeats with the same seed and not with another",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder);
      const at = (name: string) => join(folder, name);
      const weights: string[] = [];
      for (const seed of [1, 1, 2]) {
        const choice = { method: "jit", seed } as const;
        const out = at(`out${weights.length}`);
        const run = { device, kit: at("kit"), support: at("0"), out, choice, sample: true };
        weights.push((await unlearnRequests(run)).weights.after);
      }
      assertEquals(weights[0], weights[1]);
      assertNotEquals(weights[0], weights[2]);
    }),
);

for (const method of ["ssd", "pgu"] as const) {
  onEachDevice(
    `unlearnRequests refuses ${method} with a kit that lacks its statistics`,
    (device) =>
      inTemporaryFolder(async (folder) => {
        await prepare(folder, ({ statistics: _, manifest, ...kit }) => {
          const { statistics: _record, ...rest } = manifest;
          return { ...kit, manifest: rest };
        });
        const at = (name: string) => join(folder, name);
        const choice = { method };
        const options = { device, kit: at("kit"), support: at("0"), out: at("out"), choice };
        await assertRejects(() => unlearnRequests(options), LetheError, "--statistics all");
      }),
  );
}

Deno.test("unlearnRequests refuses a kit's setting that its method cannot have", () =>
  inTemporaryFolder(async (folder) => {
    const device = await openDevice("wasm");
    await prepare(folder, ({ manifest, ...kit }) => ({
      ...kit,
      manifest: {
        ...manifest,
        methods: { ...manifest.methods!, jit: { learningRate: 1, noise: 1, draws: 0.5 } },
      },
    }));
    const at = (name: string) => join(folder, name);
    const choice = { method: "jit" } as const;
    const options = { device, kit: at("kit"), support: at("0"), out: at("out"), choice };
    await assertRejects(() => unlearnRequests(options), LetheError, "draws is 0.5");
  }));

onEachDevice(
  "unlearnRequests refuses settings that move the weights next to nothing of what the kit's own do",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder);
      const at = (name: string) => join(folder, name);
      const own = (await readKit(at("kit"))).manifest.methods!.jit as Record<string, number>;
      const run = (out: string, learningRate: number, more = {}) =>
        unlearnRequests({
          ...{ device, kit: at("kit"), support: at("0"), out: at(out), branch: true, ...more },
          choice: { method: "jit", set: { learningRate } },
        });
      // The control: others than the kit's, and no less of a step.
      const usual = await run("usual", own.learningRate * 2);
      assertEquals(usual.change.unusual, false);
      for (const factor of [1e-3, 1e3]) {
        const set = own.learningRate * factor;
        await assertRejects(
          () => run("not", set),
          LetheError,
          "the kit's own settings move them by",
        );
        const allowed = await run(`allowed${factor}`, set, { allowUnusualStep: true });
        assertEquals(allowed.change.unusual, true);
      }
      const plain = { device, kit: at("kit"), support: at("0"), out: at("plain"), branch: true };
      const { change } = await unlearnRequests({ ...plain, choice: { method: "jit" } });
      assertEquals(change.unusual, null, "nothing was set, and the kit has no range");
    }),
);

for (const method of ["ssd", "pgu", "jit", "influence"] as const satisfies MethodName[]) {
  Deno.test(`unlearnRequests holds a step by ${method} against what the kit's simulated requests showed`, () =>
    inTemporaryFolder(async (folder) => {
      const device = await openDevice("wasm");
      let runs = 0;
      const run = async (range?: StepRange, more = {}) => {
        const own = join(folder, `${++runs}`);
        await Deno.mkdir(own);
        await prepare(own, (kit) => ({
          ...kit,
          manifest: { ...kit.manifest, ...(range ? { stepRanges: { [method]: range } } : {}) },
        }));
        const [kit, support, out] = ["kit", "0", "out"].map((name) => join(own, name));
        const { change } = await unlearnRequests({
          ...{ device, kit, support, out, choice: { method }, ...more },
        });
        const next = await readKit(join(out, "kit"));
        assertEquals(next.manifest.stepRanges, range && { [method]: range }, "it is passed on");
        return change;
      };
      // A kit of before there were ranges goes on as it did.
      const { relative, unusual } = await run();
      assertEquals(unusual, null);
      const range = (factor: number) => ({
        ...{ requests: 6, heldOut: true },
        ...{ low: relative * factor, high: relative * factor },
      });
      assertEquals((await run(range(1))).unusual, false);
      for (const factor of [100, 0.01]) {
        const refusal = "6 simulated requests moved them by";
        await assertRejects(() => run(range(factor)), LetheError, refusal);
        assertEquals((await run(range(factor), { allowUnusualStep: true })).unusual, true);
      }
    }));
}
