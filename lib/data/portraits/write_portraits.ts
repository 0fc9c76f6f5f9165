import { join } from "@std/path";
import { UsageError } from "../../error.ts";
import { Random } from "../../random.ts";
import { MIN_SIDE } from "../images/decode_image.ts";
import type { Progress } from "../loader/image_store.ts";
import { buildFolder } from "../../files/write_whole.ts";
import { openDrawPool } from "./draw_pool.ts";
import { labelPortrait, PORTRAIT_LABELS } from "./labels.ts";
import { drawPerson, drawScene } from "./traits.ts";

/** What {@link writePortraits} makes. */
export interface PortraitOptions {
  /** Number of people, at least 1. */
  readonly identities: number;
  /** Pictures of each, at least 1. */
  readonly imagesPerIdentity: number;
  /** The same seed gives the same bytes; more pictures or people leave the first ones as they are. */
  readonly seed: number;
  /** Pixels a side, 8 to 1024; default 64. */
  readonly side?: number;
  /** Told of the work done. */
  readonly onProgress?: Progress | undefined;
}

/** Six digits number the images, as in CelebA. */
const MAX_IMAGES = 999_999;

/**
 * Writes the built-in data set: drawn portraits of people who do not exist, in CelebA's layout
 * (`img_align_celeba/000001.png` and so on, `identity_CelebA.txt`, `list_attr_celeba.txt`).
 *
 * @param out the folder to make; it must not exist, and appears whole
 * @throws {UsageError} when a number is out of range
 * @throws {LetheError} when `out` exists
 */
export async function writePortraits(out: string, options: PortraitOptions): Promise<void> {
  const { identities, imagesPerIdentity, seed, side = 64, onProgress } = options;
  demandWhole("identities", identities, 1, MAX_IMAGES);
  demandWhole("images per identity", imagesPerIdentity, 1, Math.floor(MAX_IMAGES / identities));
  demandWhole("side", side, MIN_SIDE, 1024);
  const random = new Random(seed, "portraits");
  const total = identities * imagesPerIdentity;
  await buildFolder(out, async (staging) => {
    const folder = join(staging, "img_align_celeba");
    await Deno.mkdir(folder);
    const identityLines: string[] = [];
    const attributeLines = [String(total), PORTRAIT_LABELS.join(" ")];
    using pool = openDrawPool(total);
    const drawing: Promise<void>[] = [];
    let done = 0;
    const write = async (path: string, png: Promise<Uint8Array>) => {
      await Deno.writeFile(path, await png);
      onProgress?.(++done, total);
    };
    for (let identity = 1; identity <= identities; identity++) {
      const ownRandom = random.fork(`person ${identity}`);
      const person = drawPerson(ownRandom);
      for (let picture = 1; picture <= imagesPerIdentity; picture++) {
        const scene = drawScene(ownRandom.fork(`picture ${picture}`));
        const number = identityLines.length + 1;
        const name = `${String(number).padStart(6, "0")}.png`;
        const written = write(join(folder, name), pool.draw({ person, scene, side }));
        written.catch(() => {}); // told in its turn
        drawing.push(written);
        if (drawing.length >= pool.atOnce) await drawing.shift();
        identityLines.push(`${name} ${identity}`);
        const values = labelPortrait(person, scene).map((yes) => yes ? " 1" : "-1");
        attributeLines.push(`${name} ${values.join(" ")}`);
      }
    }
    await Promise.all(drawing);
    await Deno.writeTextFile(join(staging, "identity_CelebA.txt"), lines(identityLines));
    await Deno.writeTextFile(join(staging, "list_attr_celeba.txt"), lines(attributeLines));
  });
}

const lines = (list: readonly string[]) => list.map((line) => `${line}\n`).join("");

function demandWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new UsageError(
    `${value} ${what}`,
    most >= least
      ? `a whole number from ${least} to ${most} is needed`
      : `${MAX_IMAGES} images at most`,
    "choose another number",
  );
}
