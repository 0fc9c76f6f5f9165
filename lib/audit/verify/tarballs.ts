import { createHash } from "node:crypto";
import { LetheError } from "../../error.ts";
import { hashPackageFiles } from "../sandbox/private_cache.js";

/** What the hashes of a package are, see `private_cache.js`. */
export type PackageHashes = ReturnType<typeof hashPackageFiles>;

/** A tarball may unpack to so much; tfjs, the largest, has 150 MB. */
const MAX_UNPACKED = 2 ** 30;
const BLOCK = 512;

/**
 * Hashes the files of a package as npm's registry publishes it.
 *
 * @param loads its files whose content is hashed, of the others the size
 * @throws {LetheError} as {@link unpackTarball}
 */
export async function hashTarball(
  bytes: Uint8Array<ArrayBuffer>,
  integrity: string,
  name: string,
  loads: readonly string[],
): Promise<PackageHashes> {
  const files = await unpackTarball(bytes, integrity, name);
  const loaded = new Set(loads);
  return hashPackageFiles(
    [...files].map(([path, content]) => [path, loaded.has(path) ? content : content.length]),
  );
}

/**
 * The files of a package as npm's registry publishes it, by their paths within it.
 *
 * @param bytes the `.tgz`
 * @param integrity what deno.lock says of it: `sha512-` and base64
 * @param name for errors
 * @throws {LetheError} it is another file than deno.lock names, or no package
 */
export async function unpackTarball(
  bytes: Uint8Array<ArrayBuffer>,
  integrity: string,
  name: string,
): Promise<[path: string, content: Uint8Array][]> {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found !== integrity) {
    throw new LetheError(
      `${name} is ${found.slice(0, 20)}..`,
      `deno.lock names ${integrity.slice(0, 20)}..`,
      "take the tarball of that version from npm's registry",
    );
  }
  return [...tarFiles(await unzipped(bytes, name), name)];
}

async function unzipped(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (
    const part of new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  ) {
    size += part.length;
    if (size > MAX_UNPACKED) throw odd(name, "it unpacks to more than a gibibyte");
    parts.push(part);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function* tarFiles(tar: Uint8Array, name: string): Generator<[string, Uint8Array]> {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0.*$/s, "");
  let longPath: string | null = null;
  for (let at = 0; at + BLOCK <= tar.length;) {
    if (tar[at] === 0) break;
    const size = parseInt(text(at + 124, 12), 8);
    if (!(size >= 0) || at + BLOCK + size > tar.length) throw odd(name, "it is cut short");
    const type = text(at + 156, 1);
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    const prefix = text(at + 257, 5) === "ustar" ? text(at + 345, 155) : "";
    const path: string = longPath ?? (prefix === "" ? "" : `${prefix}/`) + text(at, 100);
    longPath = null;
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "x") {
      longPath = /(?:^|\n)\d+ path=(.*)\n/.exec(new TextDecoder().decode(content))?.[1] ?? null;
    } else if (type === "L") longPath = new TextDecoder().decode(content).replace(/\0.*$/s, "");
    else if (type === "" || type === "0") {
      // npm's tarballs have one folder, mostly `package`, which Deno takes off.
      const below = path.replace(/^(?:\.\/)?[^/]+\//, "");
      yield [below, content];
    } else if (type !== "5" && type !== "g") throw odd(name, `${path} is no file`);
  }
}

function odd(name: string, what: string): LetheError {
  return new LetheError(`${name}: ${what}`, "it is a package of npm's registry", "fetch it anew");
}
