import { join } from "@std/path";

/**
 * Copies a folder with all that is in it; links are followed.
 *
 * @param to a folder that does not exist yet; missing parents are made
 */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    await (isDirectory ? copyFolder(source, target) : Deno.copyFile(source, target));
  }
}
