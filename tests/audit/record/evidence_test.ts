import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { digestFile } from "../../../lib/audit/record/digest_files.ts";
import { judgeEvidence } from "../../../lib/audit/record/evidence.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { smallRun } from "../small_run.ts";

// Bubblewrap mounts what lies at a path when it begins: for the worker that has one name, whatever it is.
Deno.test("judgeEvidence fails for a request that is a link by now, though it holds what was read", () =>
  inTemporaryFolder(async (made) => {
    const folder = await Deno.realPath(made);
    const { paths, worker } = await smallRun(folder);
    const [path, aside] = ["requests/Zoë.png", "aside.png"].map((file) => join(folder, file));
    const read = [{ path, ...await digestFile(path) }];
    const state = async () => {
      const outcomes = await judgeEvidence({ permissionLog: null, trace: null }, {
        ...{ asked: false, paths, worker, read, readable: [], stamps: new Map(), modules: [] },
        ...{ work: paths.out, runFolder: join(folder, "run"), denoDir: join(folder, "cache") },
      });
      return outcomes.find(({ layer }) => layer === "reader")!.state;
    };
    assertEquals(await state(), "held", "the control");
    await Deno.rename(path, aside);
    await Deno.symlink(aside, path);
    assertEquals(await state(), "failed", "a symbolic link");
    await Deno.remove(path);
    await Deno.rename(aside, path);
    await Deno.rename(paths.support, `${paths.support}-aside`);
    await Deno.symlink(`${paths.support}-aside`, paths.support);
    assertEquals(await state(), "failed", "a folder behind one");
    await Deno.remove(paths.support);
    await Deno.rename(`${paths.support}-aside`, paths.support);
    await Deno.link(path, aside);
    assertEquals(await state(), "failed", "a second name");
    await Deno.remove(aside);
    assertEquals(await state(), "held", "as it was");
  }));
