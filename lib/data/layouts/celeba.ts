import { readAttributeFiles } from "./attribute_files.ts";
import type { LayoutContent } from "./layout.ts";

/**
 * CelebA (Liu et al. 2015): `img_align_celeba/`, `list_attr_celeba.txt` with 40 attributes and
 * `identity_CelebA.txt` with 10,177 people, wherever they lie below the root: in one folder, as the
 * authors' Drive has them (`Anno/`, `Img/`), or Kaggle (`.csv`, and the image folder within itself). Its
 * other annotation files are not needed.
 *
 * @throws {LetheError} as `readAttributeFiles`
 */
export function readCelebA(root: string): Promise<LayoutContent> {
  return readAttributeFiles(root, {
    name: "CelebA",
    images: "img_align_celeba",
    attributes: "list_attr_celeba",
    identities: "identity_CelebA",
    source: "Kaggle's copy leaves it out: get Anno/identity_CelebA.txt from the authors' Drive, " +
      "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, and put it beside the attributes",
  });
}
