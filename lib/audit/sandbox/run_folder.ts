import { withTemporaryPath } from "../../files/temporary_path.ts";
import { postWarden, type Warden } from "./warden.ts";

/** What a run has of its own while it lasts. */
export interface RunFolders {
  /** For the job and the evidence; this user alone may enter it. */
  readonly runFolder: string;
  /** For a secret, which nobody may reach. */
  readonly secretFolder: string;
  /** Sees to it that nothing of the run stays, however this process ends. */
  readonly warden: Warden;
}

/**
 * Makes a run's folders, which are gone when it has ended.
 *
 * @param unfinished the output before it takes its name, and the claim on that: gone too if this process is
 *   killed
 */
export async function inRunFolder<T>(
  unfinished: readonly string[],
  denoDir: string,
  work: (folders: RunFolders) => Promise<T>,
): Promise<T> {
  const runFolder = await temporaryFolder("lethe-run-", denoDir);
  return await withTemporaryPath(runFolder, async () => {
    const secretFolder = await temporaryFolder("lethe-secret-", denoDir);
    return await withTemporaryPath(secretFolder, async () => {
      const warden = await postWarden([runFolder, secretFolder, ...unfinished, denoDir]);
      try {
        return await work({ runFolder, secretFolder, warden });
      } finally {
        await warden.dismiss();
      }
    });
  });
}

/**
 * A new folder whose path Deno's lists of paths can hold: in the user's temporary folder, or in `denoDir`
 * where that has a comma in its name.
 */
export async function temporaryFolder(prefix: string, denoDir: string): Promise<string> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix }));
  if (!folder.includes(",")) return folder;
  await Deno.remove(folder);
  return await Deno.realPath(await Deno.makeTempDir({ prefix, dir: denoDir }));
}
