import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { INPUT_VERSION } from "../images/stored_form.ts";
import { openDecodePool } from "../loader/decode_pool.ts";
import type { RequestRow } from "./request_rows.ts";

/** Photographs are looked at in this size. */
const SIDE = 64;
/** Below this height a photograph says little of a face, pixels. */
const LEAST_HEIGHT = 64;
/** Rows or columns of {@link SIDE} that a border has at least, on both sides. */
const BORDER = 5;
/** How far colours of a border may lie apart, and from grey, of 255. */
const UNIFORM = 12;
/** Mean difference of two pictures that are nearly the same, of 255. */
const NEARLY = 5;
const NAMED = 5;
/** Of so many photographs each is held against each: pairs grow by the square. */
const COMPARED = 300;

/** A photograph as it is judged. */
export interface LookedAt {
  readonly file: string;
  /** Whom it shows. */
  readonly identity: string;
  /** Of the photograph itself, pixels. */
  readonly height: number;
  /** [SIDE, SIDE, 3] */
  readonly pixels: Uint8Array;
}

/**
 * What whoever hands in requests should look at again: small photographs, screenshots with borders,
 * pictures that are nearly the same as another's. Decoded by workers without permissions; what does not
 * decode is passed over, since the run itself refuses it.
 *
 * @param folder of requests
 * @param photographs in it, and whom each shows
 * @param served SHA-256 of those to look at, where not all of them are
 * @returns lines without a full stop
 */
export async function photographNotes(
  folder: string,
  photographs: readonly Pick<RequestRow, "file" | "identity">[],
  served?: ReadonlySet<string>,
): Promise<string[]> {
  using pool = openDecodePool(1);
  const seen: LookedAt[] = [];
  for (const { file, identity } of photographs) {
    try {
      const bytes = await readPlainFile(join(folder, file), { maxBytes: MAX_IMAGE_BYTES });
      if (served?.has(sha256Hex(bytes)) === false) continue;
      const { pixels, height } = await pool.decode(bytes, file, {
        side: SIDE,
        version: INPUT_VERSION,
      });
      seen.push({ file, identity, height, pixels });
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
    }
  }
  return judgePhotographs(seen);
}

/** The lines of {@link photographNotes} for pictures that are decoded already. */
export function judgePhotographs(seen: readonly LookedAt[]): string[] {
  const small = seen.filter(({ height }) => height < LEAST_HEIGHT);
  const bordered = seen.filter(({ pixels }) => hasBorders(pixels));
  const compared = seen.slice(0, COMPARED);
  const alike = compared.flatMap((one, i) =>
    compared.slice(i + 1).filter((other) => isNear(one.pixels, other.pixels))
      .map((other) => ({
        pair: `${one.file} and ${other.file}`,
        ofOne: one.identity === other.identity,
      }))
  );
  const pairs = alike.filter(({ ofOne }) => !ofOne).map(({ pair }) => pair);
  const repeats = alike.filter(({ ofOne }) => ofOne).map(({ pair }) => pair);
  const lines: string[] = [];
  if (small.length > 0) {
    const names = small.map(({ file, height }) => `${file} (${height})`);
    lines.push(
      `less than ${LEAST_HEIGHT} pixels high, which say little of a person: ${listed(names)}`,
    );
  }
  if (bordered.length > 0) {
    const names = bordered.map(({ file }) => file);
    lines.push(`with plain borders as of screenshots, which are better cut off: ${listed(names)}`);
  }
  if (pairs.length > 0) {
    lines.push(
      `nearly the same picture for two requests, one of them by mistake?: ${listed(pairs)}`,
    );
  }
  if (repeats.length > 0) {
    lines.push(
      `nearly the same twice of one person, which say hardly more than one: ${listed(repeats)}`,
    );
  }
  if (seen.length > COMPARED) {
    lines.push(
      `more than ${COMPARED} (${seen.length}): the first ${COMPARED} were held against one another, no others`,
    );
  }
  return lines;
}

/** Whether opposite edges are both of one grey, black or white included. */
function hasBorders(pixels: Uint8Array): boolean {
  const at = (x: number, y: number) => 3 * (y * SIDE + x);
  const ends = (place: (depth: number, along: number) => number) => {
    const corner = place(0, 0);
    const channels = [0, 1, 2].map((c) => pixels[corner + c]);
    if (Math.max(...channels) - Math.min(...channels) > UNIFORM) return false;
    for (let depth = 0; depth < BORDER; depth++) {
      for (let along = 0; along < SIDE; along++) {
        for (let c = 0; c < 3; c++) {
          if (Math.abs(pixels[place(depth, along) + c] - channels[c]) > UNIFORM) return false;
        }
      }
    }
    return true;
  };
  const last = SIDE - 1;
  const rows = ends((depth, x) => at(x, depth)) && ends((depth, x) => at(x, last - depth));
  const columns = ends((depth, y) => at(depth, y)) && ends((depth, y) => at(last - depth, y));
  // A picture of one colour is no picture with borders.
  const middle = ends((depth, along) => at(along, (depth + SIDE / 2) % SIDE));
  return (rows || columns) && !middle;
}

function isNear(a: Uint8Array, b: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += Math.abs(a[i] - b[i]);
    if (sum >= NEARLY * a.length) return false;
  }
  return true;
}

function listed(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
