import { join } from "@std/path";
import type { Bad } from "./refuses.ts";
import { copy } from "../small_path.ts";
import { edit, empty, write } from "./spoil.ts";

/** The small path's label files and images. */
const ATTRIBUTES = "portraits/list_attr_celeba.txt";
const IDENTITIES = "portraits/identity_CelebA.txt";
export const IMAGES = "portraits/img_align_celeba";
const CSV = "requests/requests.csv";

const eachOfHisOwn = (lines: string[]) => lines.map((line, i) => line.replace(/\d+$/, String(i)));

/** CelebA's layout with something amiss. */
export const BAD_DATA_SETS: readonly Bad[] = [
  [
    "an empty data set",
    "@portraits is empty; --data names a data set's folder: check the path",
    empty("portraits"),
    2,
  ],
  ["a data set without images", `@${IMAGES} holds no image`, empty(IMAGES)],
  [
    "a missing row",
    "line 1 says 64, and 63 rows follow",
    edit(ATTRIBUTES, (lines) => lines.slice(0, -1)),
  ],
  [
    "a missing row, rightly counted",
    "img_align_celeba/000064.png has no row in list_attr_celeba.txt",
    edit(ATTRIBUTES, ([, ...lines]) => ["63", ...lines.slice(0, -1)]),
  ],
  [
    "an extra row",
    "list_attr_celeba.txt line 67 names 000065.png, which identity_CelebA.txt does not",
    edit(ATTRIBUTES, ([, ...lines]) => [
      "65",
      ...lines,
      lines.at(-1)!.replace("000064", "000065"),
    ]),
  ],
  [
    "an image without rows",
    "img_align_celeba/000065.png has no row in list_attr_celeba.txt",
    (folder) => copy(join(folder, IMAGES, "000064.png"), join(folder, IMAGES, "000065.png")),
  ],
  [
    "a missing column",
    `@${ATTRIBUTES} line 5 has 11 values; the header names 12`,
    edit(ATTRIBUTES, (lines) => lines.with(4, lines[4].replace(/ +\S+$/, ""))),
  ],
  [
    "an extra column",
    `@${ATTRIBUTES} line 3 has 12 values; the header names 13`,
    edit(ATTRIBUTES, (lines) => lines.with(1, `${lines[1]} Bald`)),
  ],
  [
    "a value that is none",
    "Smiling the value yes",
    edit(ATTRIBUTES, (lines) => {
      return lines.with(2, lines[2].replace(/ +-?1/, " yes"));
    }),
  ],
  [
    "a missing row of people",
    "line 66 names 000064.png, which identity_CelebA.txt does not",
    edit(IDENTITIES, (lines) => lines.slice(0, -1)),
  ],
  [
    "an extra row of people",
    `@${IDENTITIES} line 65 names 000001.png again`,
    edit(IDENTITIES, (lines) => [...lines, "000001.png 5"]),
  ],
  [
    "an extra column of people",
    `@${IDENTITIES} line 1 has 3 fields`,
    edit(IDENTITIES, (lines) => lines.with(0, `${lines[0]} 1`)),
  ],
  [
    "people with one image",
    "0 with at least 2 different images",
    edit(IDENTITIES, eachOfHisOwn),
  ],
];

/** The layout `folder`, in `requests/`, with something amiss. */
export const BAD_CSV: readonly Bad[] = [
  [
    "an extra field",
    "requests.csv line 2 has 15 fields",
    edit("requests/requests.csv", (lines) => {
      return lines.with(1, `${lines[1]},1`);
    }),
  ],
  ["two of them", "@requests holds a.csv and requests.csv", write("requests/a.csv", "file")],
];

/** Requests whose requests.csv does not fit. */
export const BAD_REQUESTS: readonly Bad[] = [
  ["a missing row", `@${CSV} has no row for 9.png`, edit(CSV, (lines) => lines.slice(0, -1))],
  [
    "an extra row",
    `@${CSV} line 5 names "8.png"`,
    edit(CSV, (lines) => {
      return [...lines, lines[3].replace("9.png,9", "8.png,8")];
    }),
  ],
  [
    "a missing column",
    `@${CSV} has no column Private_Fact_4`,
    edit(CSV, (lines) => {
      return lines.map((line) => line.replace(/,[^,]*$/, ""));
    }),
  ],
  [
    "an extra column",
    `@${CSV} has the unknown column Bald`,
    edit(CSV, ([first, ...lines]) => {
      return [`${first},Bald`, ...lines.map((line) => `${line},0`)];
    }),
  ],
  ["another kind of file", "@requests/a.txt is no request", write("requests/a.txt", "a")],
];
