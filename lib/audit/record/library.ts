import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { PROJECT } from "../layers/module_graph.ts";
import type { Library } from "../sandbox/contained_run.ts";

/**
 * Hashes all that lies in `lib/`: a file more, one that nothing imports too, is another copy of Lethe.
 *
 * @throws {LetheError} there is a link among it
 */
export function hashLibrary(project = PROJECT): Library {
  const lines: string[] = [];
  const walk = (below: string) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(join(project, below))) {
      const path = `${below}/${name}`;
      if (isDirectory) walk(path);
      else if (isFile) lines.push(`${path} ${sha256Hex(Deno.readFileSync(join(project, path)))}\n`);
      else {
        throw new LetheError(`${join(project, path)} is a link`, "lib/ holds files", "remove it", {
          exitCode: 3,
        });
      }
    }
  };
  walk("lib");
  return {
    files: lines.length,
    sha256: sha256Hex(new TextEncoder().encode(lines.sort().join(""))),
  };
}
