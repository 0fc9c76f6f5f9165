import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { driverNames, foldersWithDriver } from "../../../lib/audit/sandbox/driver_folders.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const EMPTY = new Uint8Array();

Deno.test("driverNames takes the libraries that the system's lists leave to the linker", () =>
  inTemporaryFolder(async (folder) => {
    const list = (library: unknown) =>
      new TextEncoder().encode(JSON.stringify({ ICD: { library_path: library } }));
    await writeFiles(folder, {
      "nvidia_icd.json": list("libGLX_nvidia.so.0"),
      "lvp_icd.json": list("/usr/lib/libvulkan_lvp.so"),
      "odd_icd.json": list(7),
      "broken.json": new TextEncoder().encode("{"),
      "notes.txt": EMPTY,
    });
    assertEquals(await driverNames([folder, join(folder, "none")]), [
      "libvulkan.so.1",
      "libGLX_nvidia.so.0",
    ]);
  }));

Deno.test("foldersWithDriver names each folder with a driver once, resolved, and no folder of data", () =>
  inTemporaryFolder(async (temporary) => {
    const folder = await Deno.realPath(temporary);
    await writeFiles(folder, {
      "conda/libstdc++.so.6": EMPTY,
      "nvidia/libGLX_nvidia.so.0": EMPTY,
      "a,b/libvulkan.so.1": EMPTY,
      "data/requests/libvulkan.so.1": EMPTY,
      "data/libvulkan.so.1": EMPTY,
    });
    await Deno.mkdir(join(folder, "named/libvulkan.so.1"), { recursive: true });
    await Deno.symlink(join(folder, "nvidia"), join(folder, "current"));
    const entries = ["conda", "nvidia", "current", "a,b", "named", "none", "data/requests", "data"];
    const path = ["", "relative", ...entries.map((name) => join(folder, name))].join(":");
    const names = ["libvulkan.so.1", "libGLX_nvidia.so.0"];
    const found = await foldersWithDriver(path, names, [join(folder, "data/requests")]);
    assertEquals(found, [join(folder, "nvidia")]);
    assertEquals(await foldersWithDriver("", names, []), []);
  }));
