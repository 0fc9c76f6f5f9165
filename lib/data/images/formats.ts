/** Endings of the names of image files that are read, in lower case. */
export const IMAGE_ENDINGS = [".jpg", ".jpeg", ".png", ".webp"] as const;

/** A format that people have pictures in and that is not read. */
export interface OtherFormat {
  /** As in `is a HEIC image`. */
  readonly name: string;
  readonly endings: readonly string[];
  /** The file's first bytes, as Latin-1 text. */
  readonly start: RegExp;
  /** One line that makes a JPEG or PNG of a file. */
  readonly convert: (file: string) => string;
}

/** Any format, by ImageMagick. */
const magick = (file: string) => `magick ${quoted(file)} ${quoted(withEnding(file, ".png"))}`;

/** Formats that are known by name, though not read. */
export const OTHER_FORMATS: readonly OtherFormat[] = [
  {
    name: "a HEIC image",
    endings: [".heic", ".heif"],
    start: /^....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1|heif)/s,
    convert: (file) =>
      `heif-convert ${quoted(file)} ${quoted(withEnding(file, ".jpg"))}, or on a Mac ` +
      `sips -s format jpeg ${quoted(file)} --out ${quoted(withEnding(file, ".jpg"))}`,
  },
  { name: "an AVIF image", endings: [".avif"], start: /^....ftypavi[fs]/s, convert: magick },
  { name: "a GIF", endings: [".gif"], start: /^GIF8/, convert: magick },
  { name: "a BMP", endings: [".bmp", ".dib"], start: /^BM/, convert: magick },
  { name: "a TIFF", endings: [".tif", ".tiff"], start: /^(II\*\0|MM\0\*)/, convert: magick },
  {
    name: "a JPEG XL image",
    endings: [".jxl"],
    start: /^(\xff\x0a|\0\0\0\x0cJXL )/,
    convert: magick,
  },
  {
    name: "a JPEG 2000 image",
    endings: [".jp2", ".j2k", ".jpf"],
    start: /^(\0\0\0\x0cjP {2}|\xff\x4f\xff\x51)/,
    convert: magick,
  },
  {
    name: "a Netpbm image",
    endings: [".ppm", ".pgm", ".pbm"],
    start: /^P[1-6]\s/,
    convert: magick,
  },
  { name: "an SVG", endings: [".svg"], start: /^\s*(<\?xml[^>]*>\s*)?<svg/, convert: magick },
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

/** For a shell, where it has to be. */
function quoted(file: string): string {
  return /^[\w./%+-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
