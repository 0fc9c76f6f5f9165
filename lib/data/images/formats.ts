import { shellWord } from "../../files/shell_word.ts";

/** Endings of the names of image files that are read, in lower case. */
export const IMAGE_ENDINGS = [".jpg", ".jpeg", ".png", ".webp"] as const;

/** A format that people have pictures in and that is not read. */
export interface OtherFormat {
  /** As in `is a HEIC image`. */
  readonly name: string;
  readonly endings: readonly string[];
  /** Whether a file begins so, its first bytes as Latin-1 text. */
  readonly begins: (text: string) => boolean;
  /** One line that makes a JPEG or PNG of a file. */
  readonly convert: (file: string) => string;
}

/** Any format, by ImageMagick. */
const magick = (file: string) => `magick ${shellWord(file)} ${shellWord(withEnding(file, ".png"))}`;

function starting(
  name: string,
  endings: readonly string[],
  starts: readonly string[],
): OtherFormat {
  const begins = (text: string) => starts.some((start) => text.startsWith(start));
  return { name, endings, begins, convert: magick };
}

/** Formats that are known by name, though not read. */
export const OTHER_FORMATS: readonly OtherFormat[] = [
  {
    name: "a HEIC image",
    endings: [".heic", ".heif"],
    begins: (text) => /^....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1|heif)/s.test(text),
    convert: (file) =>
      `heif-convert ${shellWord(file)} ${shellWord(withEnding(file, ".jpg"))}, or on a Mac ` +
      `sips -s format jpeg ${shellWord(file)} --out ${shellWord(withEnding(file, ".jpg"))}`,
  },
  {
    name: "an AVIF image",
    endings: [".avif"],
    begins: (text) => /^....ftypavi[fs]/s.test(text),
    convert: magick,
  },
  starting("a GIF", [".gif"], ["GIF8"]),
  starting("a BMP", [".bmp", ".dib"], ["BM"]),
  starting("a TIFF", [".tif", ".tiff"], ["II*\0", "MM\0*"]),
  starting("a JPEG XL image", [".jxl"], ["\xff\x0a", "\0\0\0\x0cJXL "]),
  starting("a JPEG 2000 image", [".jp2", ".j2k", ".jpf"], ["\0\0\0\x0cjP  ", "\xff\x4f\xff\x51"]),
  starting("a Netpbm image", [".ppm", ".pgm", ".pbm"], ["P4\n", "P5\n", "P6\n"]),
  starting("an SVG", [".svg"], ["<svg", "<?xml"]),
];

/** Whether a file's name ends as that of an image that is read. */
export function isImageName(name: string): boolean {
  const lower = name.toLowerCase();
  return IMAGE_ENDINGS.some((ending) => lower.endsWith(ending));
}

/** The format that a file's name speaks of, if it is one that is not read. */
export function otherFormatOf(name: string): OtherFormat | undefined {
  const lower = name.toLowerCase();
  return OTHER_FORMATS.find(({ endings }) => endings.some((ending) => lower.endsWith(ending)));
}

function withEnding(file: string, ending: string): string {
  return file.replace(/\.[^./\\]*$/, "") + ending;
}
