import { readAttributeFiles } from "./attribute_files.ts";
import type { LayoutContent } from "./layout.ts";

/** The file by which CelebA's folder is known. */
export const CELEBA_MARK = "list_attr_celeba.txt";

/**
 * CelebA (Liu et al. 2015): `img_align_celeba/`, `list_attr_celeba.txt` with 40 attributes and
 * `identity_CelebA.txt` with 10,177 people. Its other annotation files are not needed.
 *
 * @throws {LetheError} as `readAttributeFiles`
 */
export function readCelebA(root: string): Promise<LayoutContent> {
  return readAttributeFiles(root, {
    images: "img_align_celeba",
    attributes: CELEBA_MARK,
    identities: "identity_CelebA.txt",
  });
}
