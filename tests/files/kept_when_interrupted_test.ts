import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { claimOutput } from "../../lib/files/claim_output.ts";
import {
  beingMade,
  keptLines,
  whileMaking,
  workBegins,
} from "../../lib/files/kept_when_interrupted.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

Deno.test("keptLines names what lies there of what a run goes on from, and says where nothing does", () =>
  inTemporaryFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    const nothing = ["nothing is kept: the same command begins anew"];
    assertEquals(keptLines(), nothing, "what has not begun has made nothing");
    workBegins();
    assertEquals(keptLines(), [], "who makes nothing keeps nothing");
    {
      using _claim = await claimOutput(at("model"), [at("model.training"), at("rows")]);
      assertEquals(keptLines(), nothing);
      await writeFiles(folder, { "rows/.a.part": "half" });
      assertEquals(keptLines(), nothing, "half a file is none");
      await writeFiles(folder, { "model.training": "x", "rows/0": "x" });
      const goesOn = "; the same command goes on from there";
      assertEquals(keptLines(), [`kept: ${at("model.training")}, ${at("rows")}${goesOn}`]);
      {
        using _other = whileMaking(null, [at("cache")]);
        assertEquals(keptLines(), [`kept: ${at("model.training")}, ${at("rows")}${goesOn}`]);
      }
      await writeFiles(folder, { "model/config.json": "{}" });
      assertEquals(keptLines(), [`${at("model")}: made`]);
    }
    assertEquals(keptLines(), []);
    let interrupted;
    {
      using _ended = whileMaking(at("never"));
      interrupted = beingMade();
    }
    assertEquals(keptLines(interrupted), nothing, "though it has ended with an error meanwhile");
  }));
