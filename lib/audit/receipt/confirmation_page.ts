import { LetheError } from "../../error.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { MAX_IMAGE_BYTES } from "../../data/images/decode_image.ts";
import { sha256Hex } from "../../files/sha256.ts";
import type { Receipt } from "./receipt.ts";
import { statedLimits } from "./stated.ts";
import { LIMITS, list, page, plural, section } from "./receipt_page.ts";

/** Whose a photograph is no receipt says. */
const FILED =
  "<ul><li>Not that your photograph was handed in under your name: the receipt lists photographs and the " +
  "number of people, and who is on which is the operator's word.</li></ul>";

/**
 * What one person of a batch gets: that their photographs were served, by which run, from which weights to
 * which. It holds no hash of anybody else's photograph and does not tell how many others there were.
 *
 * @param receiptHash SHA-256 of `receipt.json`, by which whoever has the receipt finds the run
 * @param photographs SHA-256 of the person's own
 */
export function confirmationPage(
  { ended, weights, signer, layers, nonce, settings, change, worker }: Receipt,
  receiptHash: string,
  photographs: readonly string[],
): string {
  const held = layers.filter(({ state }) => state === "held").length;
  const day = `${ended.slice(0, 16).replace("T", " ")} UTC`;
  const facts: [string, string][] = [
    ["When", day],
    ...photographs.map((sha256): [string, string] => ["Your photograph", `SHA-256 ${sha256}`]),
    ["Model before", weights.before],
    ["Model after", weights.after],
    ["Proof", `${plural(held, "layer")} held, none failed`],
    // The page must not claim more than the receipt does.
    ...statedLimits({ settings, worker, ...(change ? { change } : {}) })
      .map((text): [string, string] => ["Not as usual", text]),
    ["Signed by", signer ?? "nobody"],
    ["Run", nonce],
    ["Receipt", `SHA-256 ${receiptHash}`],
  ];
  return page(
    "Your request was served",
    `A model that had been trained on pictures of you was changed so that it forgets you, by ${
      plural(photographs.length, "photograph")
    } that you handed in. The photograph was not kept.`,
    [
      section("What happened", list(facts)),
      section("What this does not show", FILED + LIMITS),
      section(
        "Check it",
        "<p>Take the SHA-256 of your own file (<code>sha256sum FILE</code>): it is the one above. Whoever " +
          "audits the operator has the receipt of the run, known by its SHA-256, and finds your " +
          "photograph's there. This page holds nothing of anybody else.</p>",
      ),
    ],
  );
}

/**
 * SHA-256 of a person's photographs, each of which must be among a receipt's.
 *
 * @param files as they were handed in, byte for byte
 * @throws {LetheError} one is missing, or the run did not read it
 */
export async function photographsOf(
  { requests }: Pick<Receipt, "requests">,
  files: readonly string[],
): Promise<string[]> {
  const hashes: string[] = [];
  for (const file of files) {
    const sha256 = sha256Hex(await readPlainFile(file, { maxBytes: MAX_IMAGE_BYTES }));
    if (!requests.some((request) => request.sha256 === sha256)) {
      throw new LetheError(
        `${file} is none of the photographs of this receipt`,
        "a confirmation is about a photograph that the run read, byte for byte",
        "name the file as it was handed in, or the receipt of the run that served it",
      );
    }
    if (!hashes.includes(sha256)) hashes.push(sha256);
  }
  return hashes;
}
