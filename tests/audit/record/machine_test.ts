import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hashMachine, mappedFiles } from "../../../lib/audit/record/machine.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const LINUX = Deno.build.os === "linux";

Deno.test("mappedFiles lists what a Deno program with this job has mapped, and no other's", {
  ignore: !LINUX,
}, () =>
  inTemporaryFolder(async (folder) => {
    const job = join(folder, "job.json");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "console.log(1); await new Promise((go) => setTimeout(go, 60000))", job],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    try {
      const mapped = await mappedFiles(job);
      assert(mapped.includes(await Deno.realPath(Deno.execPath())));
      assert(mapped.some((path) => /libc[.-]/.test(path)), mapped.join());
      assertEquals(await mappedFiles(join(folder, "other.json")), []);
    } finally {
      await reader.cancel();
      child.kill("SIGKILL");
      await child.status;
    }
  }));

Deno.test("hashMachine hashes the shells and what is mapped, less what is hashed elsewhere", {
  ignore: !LINUX,
}, () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "driver.so");
    await Deno.writeTextFile(path, "code");
    const files = await hashMachine([path, Deno.execPath()], [Deno.execPath()]);
    assert(files.some(({ path, use }) => use === "program" && /\/(?:ba|da)?sh$/.test(path)));
    const mapped = files.filter(({ use }) => use === "mapped");
    assertEquals(mapped.map(({ path, bytes }) => [path, bytes]), [[path, 4]]);
  }));
