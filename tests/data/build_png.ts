import { crc32, deflateSync } from "node:zlib";

/** What a test's PNG holds: samples [height, width, channels], each below 2^depth. */
export interface PngPlan {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly samples: readonly number[];
  readonly interlaced?: boolean;
  /** Chunks between header and pixels. */
  readonly extra?: readonly [type: string, data: number[]][];
}

/** One PNG chunk with its length and check sum. */
export function pngChunk(type: string, data: ArrayLike<number>): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set([...type].map((letter) => letter.charCodeAt(0)), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** Joins chunks behind PNG's signature. */
export function joinPng(...chunks: Uint8Array[]): Uint8Array {
  return Uint8Array.from([
    0x89,
    0x50,
    0x4e,
    0x47,
    13,
    10,
    26,
    10,
    ...chunks.flatMap((c) => [...c]),
  ]);
}

/** The header chunk. */
export function pngHeader(
  { width, height, depth, colourType, interlaced }: Omit<PngPlan, "samples">,
): Uint8Array {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([depth, colourType, 0, 0, interlaced ? 1 : 0], 8);
  return pngChunk("IHDR", data);
}

/** Encodes a PNG whose rows use the filters 0 to 4 in turn, its pixels in two IDAT chunks. */
export function buildPng(plan: PngPlan): Uint8Array {
  const { width, height, depth, colourType, samples, interlaced, extra = [] } = plan;
  const channels = [1, 0, 3, 1, 2, 0, 4][colourType];
  const step = Math.max(1, channels * depth / 8);
  const packed: number[] = [];
  // Adam7's pass of every pixel, as the standard's figure draws it.
  const figure = ["16462646", "77777777", "56565656", "77777777"]
    .concat("36463646", "77777777", "56565656", "77777777");
  for (let pass = 1; pass <= (interlaced ? 7 : 1); pass++) {
    let above: number[] = [];
    for (let y = 0, row = 0; y < height; y++) {
      const columns = Array.from({ length: width }, (_, x) => x)
        .filter((x) => !interlaced || figure[y % 8][x % 8] === String(pass));
      if (columns.length === 0) continue;
      const bits = columns.flatMap((x) =>
        samples.slice((y * width + x) * channels, (y * width + x + 1) * channels)
      ).map((sample) => sample.toString(2).padStart(depth, "0")).join("");
      const line = bits.match(/.{1,8}/g)!.map((byte) => parseInt(byte.padEnd(8, "0"), 2));
      const filter = row++ % 5;
      packed.push(
        filter,
        ...line.map((byte, i) => {
          const a = line[i - step] ?? 0,
            b = above[i] ?? 0,
            c = i >= step ? above[i - step] ?? 0 : 0;
          const nearest = [a, b, c].map((v) => Math.abs(a + b - c - v));
          const paeth = [a, b, c][nearest.indexOf(Math.min(...nearest))];
          return byte - [0, a, b, (a + b) >> 1, paeth][filter] & 255;
        }),
      );
      above = line;
    }
  }
  const pixels = deflateSync(Uint8Array.from(packed));
  return joinPng(
    pngHeader(plan),
    ...extra.map(([type, data]) => pngChunk(type, data)),
    pngChunk("IDAT", pixels.subarray(0, 5)),
    pngChunk("IDAT", pixels.subarray(5)),
    pngChunk("IEND", []),
  );
}
