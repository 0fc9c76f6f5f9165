import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { inspectPath } from "../../lib/inspect/inspect_path.ts";
import { LetheError } from "../../lib/error.ts";
import { identityHash } from "../../lib/model/kit/identity_key.ts";
import { readKit } from "../../lib/model/kit/read_kit.ts";
import { parseMemoryIndex } from "../../lib/model/kit/memory_index.ts";
import { unlearnRequests } from "../../lib/run/unlearn_requests.ts";
import type { Device } from "../../lib/tensor/device.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { prepare, rowsOf } from "./memory_kit.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const rowsIn = (kit: string) =>
  [...Deno.readDirSync(join(kit, "memory"))].map(({ name }) => name).sort();

/** Serves person k's request from a kit. */
const serve = (device: Device, folder: string, k: number, kit: string, out: string, more = {}) =>
  unlearnRequests({
    ...{ device, ...more },
    kit: join(folder, kit),
    support: join(folder, `${k}`),
    out: join(folder, out),
    identityKey: join(folder, "kit.identity-key"),
  });

Deno.test("readKit refuses whatever lies among the rows and is none of them", () =>
  inTemporaryFolder(async (folder) => {
    await prepare(folder, null);
    const kit = join(folder, "kit");
    await readKit(kit);
    const stranger = join(kit, "memory", "photo.png");
    await Deno.writeTextFile(stranger, "a training picture");
    await assertRejects(() => readKit(kit), LetheError, "photo.png is not named in memory.json");
    await Deno.remove(stranger);
    await Deno.mkdir(stranger);
    await assertRejects(() => readKit(kit), LetheError, "photo.png is not named in memory.json");
    await Deno.remove(stranger);
    await readKit(kit);
  }));

onEachDevice(
  "unlearnRequests takes the person's own row out of the weights, and out of the next kit",
  (device) =>
    inTemporaryFolder(async (folder) => {
      const key = await prepare(folder, null);
      const before = await readKit(join(folder, "kit"));
      const first = await serve(device, folder, 0, "kit", "first");
      assertEquals([first.method, first.staleStatistics], ["memory", false]);
      const after = await readKit(join(folder, "first/kit"));
      const [ada] = rowsOf(before.model.theta, null);
      for (const [name, { values }] of before.model.theta) {
        const { whole } = ada.step.get(name)! as { whole: Float32Array };
        const moved = after.model.theta.get(name)!.values;
        const most = whole.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        // A half is within 2^-11 of a tensor's largest number.
        assert(
          values.every((x, i) =>
            Math.abs(x - whole[i] - moved[i]) <= most * 2 ** -10 + 1e-6 * Math.abs(x)
          ),
          name,
        );
      }
      const gone = `${identityHash(key, "Ada")}.row`;
      assertEquals(
        rowsIn(join(folder, "first/kit")),
        rowsIn(join(folder, "kit")).filter((row) => row !== gone),
      );
      const path = join(folder, "first/kit/memory.json");
      const index = parseMemoryIndex(await Deno.readTextFile(path), path);
      assertEquals([index.stale, index.people.length], [true, 2]);
      const { rows } = await inspectPath(join(folder, "first/kit"));
      const told = Object.fromEntries(rows);
      assertMatch(told.remembers, /^2 people at full rank, sealed, \S+ \S+ each$/);
      assertMatch(told.stale, /what it remembers of people/);
      const second = await serve(device, folder, 1, "first/kit", "second");
      assertEquals([second.method, second.staleStatistics], ["memory", true]);
      assertEquals(rowsIn(join(folder, "second/kit")).length, 1);
    }),
);

onEachDevice(
  "unlearnRequests serves rows of a rank, and refuses a flipped bit and another kit's key",
  (device) =>
    inTemporaryFolder(async (folder) => {
      const key = await prepare(folder, 2);
      assertEquals(
        (await serve(device, folder, 2, "kit", "whole", { branch: true })).method,
        "memory",
      );
      const path = join(folder, "kit/memory", `${identityHash(key, "Ada")}.row`);
      const sealed = await Deno.readFile(path);
      sealed[99] ^= 4;
      await Deno.writeFile(path, sealed);
      await assertRejects(
        () => serve(device, folder, 0, "kit", "flipped", { branch: true }),
        LetheError,
        "memory.json names",
      );
    }),
);

onEachDevice(
  "unlearnRequests refuses a photograph that is far from its person, unless it is told not to look",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder, 1, 1e-6);
      await assertRejects(
        () => serve(device, folder, 0, "kit", "refused"),
        LetheError,
        "from its person",
      );
      const summary = await serve(device, folder, 0, "kit", "taken", { matchCheck: false });
      assertEquals([summary.method, summary.match], ["memory", null]);
    }),
);

onEachDevice(
  "unlearnRequests scales rows by how many the model has forgotten, this request's people among them",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder, null, 2, [3, 2]);
      // Rows are kept at the scale of the largest request, here of two people.
      const moved: number[] = [];
      let kit = "kit";
      for (const k of [0, 1]) {
        const before = (await readKit(join(folder, kit))).model.theta;
        await serve(device, folder, k, kit, `after ${k}`);
        kit = `after ${k}/kit`;
        const after = (await readKit(join(folder, kit))).model.theta;
        const [own] = [rowsOf(before, null)[k].step.get("norm.weight") as { whole: Float32Array }];
        const [x, y] = [before, after].map((theta) => theta.get("norm.weight")!.values);
        const along = own.whole.reduce((sum, row, i) => sum + row * (x[i] - y[i]), 0);
        moved.push(along / own.whole.reduce((sum, row) => sum + row * row, 0));
      }
      assertAlmostEquals(moved[0], 1.5, 2e-3);
      assertAlmostEquals(moved[1], 1, 2e-3);
    }),
);

onEachDevice(
  "unlearnRequests takes a person's row out once, however many photographs there are, and looks at each",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder, null);
      const one = await serve(device, folder, 0, "kit", "one", { sample: true });
      await Deno.copyFile(join(folder, "1/Bea.png"), join(folder, "0/Ada.2.png"));
      const two = await serve(device, folder, 0, "kit", "two", { sample: true });
      assertEquals([two.people, two.photographs], [1, 2]);
      assertEquals(two.weights, one.weights);
      assert(two.match!.farthest >= one.match!.farthest);
    }),
);

onEachDevice(
  "unlearnRequests moves the layers that rows are of and no others, and inspect names them",
  (device) =>
    inTemporaryFolder(async (folder) => {
      await prepare(folder, 1, 2, [1], "mlp");
      const before = await readKit(join(folder, "kit"));
      await serve(device, folder, 0, "kit", "first");
      const after = await readKit(join(folder, "first/kit"));
      for (const [name, { values }] of before.model.theta) {
        const same = after.model.theta.get(name)!.values.every((x, i) => x === values[i]);
        assertEquals([name, same], [name, !/\.mlp\.|^head\./.test(name)]);
      }
      const told = Object.fromEntries((await inspectPath(join(folder, "first/kit"))).rows);
      assertMatch(told.remembers, /at rank 1 \(layers: mlp\), sealed/);
    }),
);
