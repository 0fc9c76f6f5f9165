import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkInputs, type GivenPaths } from "../../../lib/audit/sandbox/inputs.ts";
import { shell } from "../../../lib/audit/sandbox/shell.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";
import { MAY_MOUNT } from "../../e2e/attacks/abilities.ts";

/** Requests, a kit with its key, and training data, all apart. */
async function inFolder(body: (given: GivenPaths, folder: string) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (temporary) => {
    const folder = await Deno.realPath(temporary);
    await writeFiles(folder, {
      "requests/1.png": "1",
      "kit/kit.json": "{}",
      "kit.identity-key": "0",
      "data/people/1/a.png": "a",
    });
    const [support, kit, out, trainingData] = ["requests", "kit", "new/out", "data"]
      .map((name) => join(folder, name));
    await body({ support, kit, out, trainingData }, folder);
  });
}

const refused = async (given: GivenPaths) =>
  (await assertRejects(() => checkInputs(given), LetheError)).message;

Deno.test("checkInputs gives absolute paths without links and counts the files that may be read", () =>
  inFolder(async (given, folder) => {
    const { paths, outcome } = await checkInputs({ ...given, kit: `${given.kit}/../kit/` });
    assertEquals(paths, {
      support: join(folder, "requests"),
      kit: join(folder, "kit"),
      identityKey: join(folder, "kit.identity-key"),
      out: join(folder, "new/out"),
      trainingData: join(folder, "data"),
    });
    assertEquals([outcome.layer, outcome.state], ["inputs", "held"]);
    assertStringIncludes(outcome.detail, "2 plain files");
    assertStringIncludes(outcome.detail, "apart from the training folder");
    const { trainingData: _, ...without } = given;
    assertStringIncludes(
      (await checkInputs(without)).outcome.detail,
      "no training folder was named",
    );
  }));

Deno.test("checkInputs refuses requests, kit and output in the training folder, and the reverse", () =>
  inFolder(async (given, folder) => {
    const data = join(folder, "data");
    const apart = async (changed: Partial<GivenPaths>, says: string) =>
      assertStringIncludes(await refused({ ...given, ...changed }), says);
    await apart({ support: join(data, "people") }, "lies in the training folder");
    await apart({ support: `${folder}/requests/../data/people/1` }, "lies in the training folder");
    await apart({ support: data }, "is the training folder");
    await apart({ trainingData: join(folder, "requests") }, "is the training folder");
    await apart({ trainingData: folder }, "lies in the training folder");
    await apart({ out: join(data, "new") }, "lies in the training folder");
    await apart(
      { kit: join(data, "people"), identityKey: join(folder, "kit.identity-key") },
      "lies in",
    );
    await apart({ support: join(folder, "a,b") }, "has a comma");
  }));

Deno.test({
  name: "checkInputs sees the training folder through a bind mount",
  ignore: !MAY_MOUNT,
  fn: () =>
    inFolder(async (given, folder) => {
      const requests = join(folder, "requests");
      const bound = await shell('mount --bind "$1" "$2"', join(folder, "data/people"), requests);
      assertEquals(bound.code, 0, bound.err);
      try {
        assertStringIncludes(await refused(given), "the requests");
        assertStringIncludes(await refused(given), "lies in the training folder");
        // Without the training folder's name nobody can tell where a folder is mounted from.
        const { trainingData: _, ...without } = given;
        await checkInputs(without);
      } finally {
        await shell('umount "$1"', requests);
      }
    }),
});
