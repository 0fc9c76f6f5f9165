import { join, resolve } from "@std/path";
import { LetheError } from "../../error.ts";
import { shown } from "../../files/json_fields.ts";
import { identityKeyPath } from "../../model/kit/identity_key.ts";
import type { ContainedRun } from "./contained_run.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { isWithin, type Mount, overlap, placeOf, readMounts } from "./mounts.ts";

/** Paths as the user gave them. */
export interface GivenPaths {
  readonly support: string;
  readonly kit: string;
  readonly identityKey?: string;
  readonly out: string;
  readonly trainingData?: string;
  /** A kit of which no use is recorded: the sample, or one that a rerun reads. */
  readonly sample?: boolean | undefined;
}

/**
 * Resolves every path of a run and refuses what could stand for something else: symbolic links, a
 * second hard link, devices, pipes, mounts inside the inputs, inputs and outputs that lie in each other
 * or in the training folder. It looks at names only and opens nothing.
 *
 * @returns the paths, absolute and without links, and what was held against what
 * @throws LetheError the first thing that is refused
 */
export async function checkInputs(
  given: GivenPaths,
): Promise<{ paths: ContainedRun["paths"]; outcome: LayerOutcome }> {
  const paths = {
    support: await withoutLinks(given.support),
    kit: await withoutLinks(given.kit),
    identityKey: await withoutLinks(given.identityKey ?? identityKeyPath(given.kit)),
    out: await withoutLinks(given.out),
    trainingData: given.trainingData === undefined ? null : await withoutLinks(given.trainingData),
  };
  for (const path of [paths.support, paths.kit, paths.out]) {
    refuseComma(path);
    refuseControl(path);
  }
  const mounts = await readMounts();
  if (!given.sample) refuseMountedKit(given.kit, paths.kit, mounts);
  refuseOverlaps(given, paths, mounts);
  let files = 0;
  for (const folder of [given.support, given.kit]) files += await checkTree(folder, mounts);
  await refuseOdd(paths.identityKey);
  return {
    paths,
    outcome: {
      layer: "inputs",
      state: "held",
      detail: `${files} plain files with one name each; no links, mounts or devices; ` +
        (paths.trainingData === null
          ? "no training folder was named to hold them against"
          : "all apart from the training folder"),
    },
  };
}

/**
 * A path, made absolute, of which no component is a symbolic link. Links directly below the root are
 * the system's own (`/tmp` on macOS) and are followed. `..` is taken off before the system sees the
 * path, as Deno does everywhere. What does not exist is left to its reader.
 */
async function withoutLinks(path: string): Promise<string> {
  if (Deno.build.os === "windows") return await Deno.realPath(path).catch(() => resolve(path));
  const parts = resolve(path).split("/").filter((part: string) => part !== "");
  let sofar = "/";
  for (const [depth, part] of parts.entries()) {
    const next = join(sofar, part);
    const info = await Deno.lstat(next).catch(() => null);
    if (info?.isSymlink && depth > 0) {
      throw new LetheError(
        next === resolve(path)
          ? `${path} is a symbolic link`
          : `${path}: ${next} is a symbolic link`,
        "the worker's inputs and output are named without links",
        `name ${await Deno.realPath(next).catch(() =>
          "the folder itself"
        )}, or put the files there`,
      );
    }
    sofar = info?.isSymlink ? await Deno.realPath(next) : next;
  }
  return sofar;
}

/**
 * Deno separates the paths of a permission by commas, and knows no way to write one within a path: every
 * path that is granted has none.
 */
export function refuseComma(path: string): void {
  if (!path.includes(",")) return;
  throw new LetheError(
    `${path} has a comma`,
    "Deno's permissions are lists of paths separated by commas",
    "rename it; requests.csv can give an image of any name its identity, TMPDIR another folder to a run",
  );
}

/** What the worker is told, and what the receipt says of it, is lines. */
function refuseControl(path: string): void {
  if (!/\p{Cc}/u.test(path)) return;
  throw new LetheError(
    `${shown(path)} has a control character`,
    "requests, kit and output have names that a terminal and a log can show",
    "rename it",
  );
}

/**
 * The record of a kit's uses lies beside it. Beside a mount, or a container's volume, that is not where the
 * kit itself lies: by another name the same kit would have a second future.
 */
function refuseMountedKit(kit: string, path: string, mounts: readonly Mount[]): void {
  if (!mounts.some(({ point }) => point === path)) return;
  throw new LetheError(
    `${kit} is a mount of its own`,
    "that a kit has been used is recorded beside it, and this record would lie on another file system",
    "mount the folder that the kit lies in",
  );
}

function refuseOverlaps(
  given: GivenPaths,
  paths: ContainedRun["paths"],
  mounts: readonly Mount[],
): void {
  const key = given.identityKey ?? identityKeyPath(given.kit);
  const named = {
    support: ["the requests", given.support, paths.support],
    kit: ["the kit", given.kit, paths.kit],
    key: ["the identity key", key, paths.identityKey],
    out: ["the output", given.out, paths.out],
    data: ["the training folder", given.trainingData ?? "", paths.trainingData ?? ""],
  } as const;
  const apart: (readonly [keyof typeof named, keyof typeof named])[] = [
    ["support", "kit"],
    ["out", "support"],
    ["out", "kit"],
    ["key", "support"],
    ["key", "kit"],
  ];
  if (paths.trainingData !== null) {
    apart.push(["support", "data"], ["kit", "data"], ["out", "data"]);
  }
  for (const [one, other] of apart) {
    const [a, b] = [placeOf(named[one][2], mounts), placeOf(named[other][2], mounts)];
    if (!overlap(a, b)) continue;
    const [inner, outer] = isWithin(a.path, b.path) ? [one, other] : [other, one];
    throw new LetheError(
      `${named[inner][0]} ${named[inner][1]} ${a.path === b.path ? "is" : "lies in"} ` +
        `${named[outer][0]} ${named[outer][1]}`,
      "the worker may read the requests and the kit and write the output: they lie apart",
      `move ${named[one][0]} elsewhere`,
    );
  }
}

/**
 * Walks a folder that the worker may read. @returns the number of its files
 *
 * @throws LetheError something in it is no plain file with one name, or a mount
 */
export async function checkTree(folder: string, mounts: readonly Mount[]): Promise<number> {
  const absolute = resolve(folder);
  const mount = mounts.find(({ point }) => point !== absolute && isWithin(point, absolute));
  if (mount) {
    throw new LetheError(
      `${join(folder, mount.point.slice(absolute.length + 1))} is a mount of its own`,
      "what is mounted there could come from anywhere",
      "unmount it and put the files themselves there",
    );
  }
  const info = await Deno.lstat(folder).catch(() => null);
  if (!info?.isDirectory) return 0; // its reader says what is amiss
  let files = 0;
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const entry = await refuseOdd(path);
    files += entry?.isDirectory ? await checkTree(path, []) : 1;
  }
  return files;
}

/** Refuses links, devices, pipes and sockets. @returns what it is; null for nothing */
async function refuseOdd(path: string): Promise<Deno.FileInfo | null> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null || info.isDirectory) return info;
  const links = info.nlink ?? 1; // Windows does not count them
  if (info.isFile && links === 1) return info;
  const kind = info.isSymlink
    ? "is a symbolic link"
    : info.isFile
    ? `has ${links} hard links`
    : "is a device, pipe or socket";
  throw new LetheError(
    `${path} ${kind}`,
    "inputs are plain files with one name each",
    "put a copy of the file itself there",
  );
}
