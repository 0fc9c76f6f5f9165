import { canonicalJson } from "../../files/canonical_json.ts";
import { sha256Hex } from "../../files/sha256.ts";
import type { Verdict } from "../layers/checks.ts";
import type { Receipt } from "../receipt/receipt.ts";

/** A version of Lethe whose receipts are told without its code at hand. */
interface EarlierProgram {
  readonly commit: string;
  /** {@link programHash} of each launcher's receipts. */
  readonly hashes: Readonly<Record<Receipt["launcher"], string>>;
}

/** The last commit of each version of the receipt before this one. */
const EARLIER: readonly EarlierProgram[] = [
  {
    commit: "4832d1b",
    hashes: {
      "tasks/audit.ts": "916f6e207bc6e07ada8ee54d6b46952480ec481dcd3beb1b211e144c56522213",
      "tasks/unlearn.ts": "72ba20f5e68d9a46e3502a72f5e8d61f6bda3bd0a3369485e90fabda3af8dc59",
    },
  },
];

/** One hash for all modules, packages and the lock file that a receipt names. */
function programHash({ code, packages, lockFile }: Receipt): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson({ code, packages, lockFile })));
}

/** Tells the program of a receipt of an earlier version, as far as that goes without its code. */
export function checkEarlierProgram(receipt: Receipt): Verdict {
  const found = EARLIER.find(({ hashes }) => hashes[receipt.launcher] === programHash(receipt));
  if (found === undefined) {
    return [
      "failed",
      `a receipt of version ${receipt.version}, by code that is neither this copy's nor commit ` +
      `${EARLIER.map(({ commit }) => commit).join("'s nor ")}'s: ${checkOut(receipt)}`,
    ];
  }
  const { code, packages } = receipt;
  return [
    "held",
    `${code.length} modules, ${packages.length} packages and the lock file are those of commit ` +
    `${found.commit}: check it out for --rerun to be bit for bit`,
  ];
}

/** What to do about a receipt of other code than this copy's. */
export function checkOut({ commit, version }: Receipt): string {
  if (commit) return `check out commit ${commit}, which the receipt names, and verify there`;
  return version === 1
    ? "check out the commit that wrote it (4832d1b or one before) and verify there"
    : "verify with the copy of Lethe that wrote it";
}
