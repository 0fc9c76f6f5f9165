import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type Claim,
  claimants,
  claimStage,
  readRecord,
} from "../../../lib/benchmark/cluster/claim.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const MAKER = { adapter: "a card", host: "n1" };
const NAME = "train-0123";
/** Looks often; nobody who lives is taken for dead, however slow the machine is. */
const TIMES = { beat: 0.05, deadAfter: 600 };
const notMade = () => Promise.resolve(false);

const claim = (folder: string, isDone = notMade, maker = MAKER, times = TIMES) =>
  claimStage(folder, NAME, maker, isDone, times);

Deno.test("claimStage gives a stage to one of many, and to the next when it is released", () =>
  inTemporaryFolder(async (folder) => {
    let [holders, most, served] = [0, 0, 0];
    await Promise.all(Array.from({ length: 6 }, async () => {
      using held = await claim(folder);
      assert(held);
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setTimeout(resolve, 20));
      holders--;
      served++;
    }));
    assertEquals([most, served], [1, 6]);
    assertEquals([...Deno.readDirSync(folder)], [], "no claim is left");
  }));

Deno.test("claimStage ends its waiting when the stage has been made, and leaves a record of who did", () =>
  inTemporaryFolder(async (folder) => {
    let made = false;
    const isDone = () => Promise.resolve(made);
    using held = await claim(folder, isDone);
    await Deno.writeTextFile(join(folder, "other.3"), "");
    await Deno.writeTextFile(join(folder, "made.json"), "{}");
    assertEquals(
      claimants(folder),
      new Map([[NAME, "n1 (a card)"], ["other", "another process"]]),
    );
    const waiting = claim(folder, isDone, { adapter: "another", host: "n2" });
    made = true;
    await held!.done(12.3456);
    assertEquals(await waiting, null);
    assertEquals(await readRecord(folder, NAME), { ...MAKER, seconds: 12.346 });
    assertEquals([...claimants(folder).keys()], ["other"]);
  }));

Deno.test("claimStage gives back at once what was made between its look and its claim", () =>
  inTemporaryFolder(async (folder) => {
    let looks = 0;
    assertEquals(await claim(folder, () => Promise.resolve(looks++ > 0)), null);
    assertEquals([looks, ...Deno.readDirSync(folder)], [2], "no claim is left");
  }));

Deno.test("claimStage takes over from an owner without a heartbeat, one of those who wait", () =>
  inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, `${NAME}.0`), "");
    let taken = 0;
    await Promise.all(Array.from({ length: 4 }, async () => {
      let made = false;
      using held = await claim(folder, () => Promise.resolve(made || taken > 0), MAKER, {
        ...TIMES,
        deadAfter: 0.5,
      });
      if (!held) return;
      taken++;
      made = true;
    }));
    assertEquals(taken, 1);
  }));

Deno.test("claimStage tells an owner who was only slow that the stage was taken over", () =>
  inTemporaryFolder(async (folder) => {
    using slow = await claimStage(folder, NAME, MAKER, notMade, TIMES) as Claim;
    // As another process would that had seen no heartbeat for so long.
    await Deno.writeTextFile(join(folder, `${NAME}.1`), "");
    await assertRejects(() => slow.lost, LetheError, "taken train-0123 over");
  }));

Deno.test("claimStage compares no clocks: an hour behind is no death, an hour ahead no life", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, `${NAME}.0`);
    const off = async (hours: number) => {
      await Deno.writeTextFile(path, JSON.stringify(MAKER));
      const time = new Date(Date.now() + hours * 3_600_000);
      await Deno.utime(path, time, time);
    };
    await off(-1);
    let [looks, made] = [0, false];
    const waiting = claimStage(folder, NAME, MAKER, () => Promise.resolve(made), TIMES, () => {
      made = ++looks === 5;
    });
    assertEquals(await waiting, null, "it waits for the owner until the stage is made");
    await off(1);
    using held = await claim(folder, notMade, MAKER, { ...TIMES, deadAfter: 0.5 });
    assert(held, "the owner died before its first heartbeat");
  }));
