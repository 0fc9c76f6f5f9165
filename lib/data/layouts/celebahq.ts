import { readAttributeFiles } from "./attribute_files.ts";
import type { LayoutContent } from "./layout.ts";

/** The file by which CelebA-HQ's folder is known. */
export const CELEBA_HQ_MARK = "CelebAMask-HQ-attribute-anno.txt";

/**
 * CelebA-HQ in CelebAMask-HQ's folder (Lee et al. 2020): `CelebA-HQ-img/<n>.jpg`,
 * `CelebAMask-HQ-attribute-anno.txt` with 40 attributes, and `CelebA-HQ-identity.txt`, which comes
 * apart (Na et al. 2022).
 *
 * @throws {LetheError} as `readAttributeFiles`
 */
export function readCelebAHQ(root: string): Promise<LayoutContent> {
  return readAttributeFiles(root, {
    images: "CelebA-HQ-img",
    attributes: CELEBA_HQ_MARK,
    identities: "CelebA-HQ-identity.txt",
  });
}
