import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { claimOutput } from "../../lib/files/claim_output.ts";
import { hostName } from "../../lib/files/host_name.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** A claim as a process left it whose heart last beat so many seconds ago. */
async function left(folder: string, host: string, seconds: number): Promise<string> {
  const path = join(folder, ".model.claim.3");
  await Deno.writeTextFile(path, JSON.stringify({ host, pid: 1234, since: "yesterday" }));
  const time = new Date(Date.now() - 1000 * seconds);
  await Deno.utime(path, time, time);
  return path;
}

Deno.test("claimOutput refuses a second run into one output at once, naming the first, and leaves nothing", () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, "model");
    {
      using _first = await claimOutput(out);
      const refusal = await assertRejects(() => claimOutput(`${out}/`), LetheError);
      assertMatch(refusal.message, new RegExp(`is being made by process ${Deno.pid} on `));
      assertEquals(names(folder), [".model.claim.0"]);
      using _other = await claimOutput(join(folder, "model.2"));
    }
    assertEquals(names(folder), []);
    using _next = await claimOutput(out);
  }));

Deno.test("claimOutput lets one of many have an output", () =>
  inTemporaryFolder(async (folder) => {
    for (let round = 0; round < 10; round++) { // one in twenty failed while a look could be in a lock's way
      const tried = await Promise.allSettled(
        Array.from({ length: 8 }, () => claimOutput(join(folder, "model"))),
      );
      const claims = tried.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
      assertEquals(claims.length, 1);
      for (const claim of claims) claim[Symbol.dispose]();
      assertEquals(names(folder), []);
    }
  }));

Deno.test("claimOutput takes over from a dead process of this machine, whose lock is gone", () =>
  inTemporaryFolder(async (folder) => {
    await left(folder, hostName(), 0);
    using _claim = await claimOutput(join(folder, "model"));
    assertEquals(names(folder), [".model.claim.4"]);
  }));

Deno.test("claimOutput trusts another machine's heartbeat, and takes over where there is none", () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, "model");
    const path = await left(folder, "another", 30);
    const { message } = await assertRejects(() => claimOutput(out), LetheError);
    assertMatch(message, /process 1234 on another since yesterday; .*if it is dead, remove /);
    await Deno.remove(path);
    await left(folder, "another", 3600);
    using _claim = await claimOutput(out);
    assertEquals(names(folder), [".model.claim.4"]);
  }));

Deno.test("claimOutput makes missing folders and removes those that stay empty; an output that is there is refused", () =>
  inTemporaryFolder(async (folder) => {
    (await claimOutput(join(folder, "a/b/model")))[Symbol.dispose]();
    assertEquals(names(folder), []);
    await Deno.mkdir(join(folder, "a/b/model"), { recursive: true });
    await assertRejects(() => claimOutput(join(folder, "a/b/model")), LetheError, "model exists");
    await Deno.writeTextFile(join(folder, "file"), "");
    const below = join(folder, "file/model");
    await assertRejects(() => claimOutput(below), LetheError, `${below} cannot be written`);
  }));
