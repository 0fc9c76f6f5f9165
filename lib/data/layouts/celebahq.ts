import { readAttributeFiles } from "./attribute_files.ts";
import type { LayoutContent } from "./layout.ts";

/**
 * CelebA-HQ in CelebAMask-HQ's folder (Lee et al. 2020): `CelebA-HQ-img/<n>.jpg`,
 * `CelebAMask-HQ-attribute-anno.txt` with 40 attributes, and `CelebA-HQ-identity.txt`, which comes
 * apart (Na et al. 2022); wherever they lie below the root.
 *
 * @throws {LetheError} as `readAttributeFiles`
 */
export function readCelebAHQ(root: string): Promise<LayoutContent> {
  return readAttributeFiles(root, {
    name: "CelebA-HQ",
    images: "CelebA-HQ-img",
    attributes: "CelebAMask-HQ-attribute-anno",
    identities: "CelebA-HQ-identity",
    source: "it comes apart from CelebAMask-HQ: get it from https://github.com/ndb796/CelebA-HQ-" +
      "Face-Identity-and-Attributes-Recognition-PyTorch and put it beside the attributes",
  });
}
