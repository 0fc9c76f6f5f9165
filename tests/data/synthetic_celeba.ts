import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import { Random } from "../../lib/random.ts";

/** How large a synthetic CelebA is. */
export interface SyntheticSize {
  readonly images: number;
  readonly people: number;
  /** Pixels a side. */
  readonly side: number;
  readonly seed: number;
}

/** CelebA's attributes, in its file's order. */
const ATTRIBUTES = (
  "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose " +
  "Black_Hair Blond_Hair Blurry Brown_Hair Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee " +
  "Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache Narrow_Eyes No_Beard " +
  "Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair " +
  "Wavy_Hair Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young"
).split(" ");
/** Coloured squares a side: few, so that a file takes some hundred bytes. */
const SQUARES = 4;

/**
 * Writes a data set in CelebA's layout that is as large as one likes and takes little room: every image
 * is a few squares of its own colours, every label a coin's toss. It measures time and memory, nothing
 * can be learned from it.
 */
export async function writeSyntheticCelebA(root: string, size: SyntheticSize): Promise<void> {
  const { images, people, side, seed } = size;
  const random = new Random(seed, "synthetic CelebA");
  await Deno.mkdir(join(root, "img_align_celeba"), { recursive: true });
  const attributes = [`${images}`, ATTRIBUTES.join(" ")];
  const identities: string[] = [];
  for (let i = 0; i < images; i++) {
    const name = `${i + 1}`.padStart(6, "0") + ".png";
    const colours = Uint8Array.from({ length: 3 * SQUARES ** 2 }, () => random.integer(256));
    const rgb = new Uint8Array(3 * side ** 2);
    for (let at = 0; at < side ** 2; at++) {
      const [row, column] = [Math.floor(at / side), at % side]
        .map((place) => Math.floor(place * SQUARES / side));
      const square = 3 * (row * SQUARES + column);
      rgb.set(colours.subarray(square, square + 3), 3 * at);
    }
    const bytes = encodePng({ width: side, height: side, rgb });
    Deno.writeFileSync(join(root, "img_align_celeba", name), bytes);
    const values = ATTRIBUTES.map(() => random.integer(2) === 0 ? "-1" : " 1");
    attributes.push(`${name} ${values.join(" ")}`);
    // The first ones see to it that nobody is missing.
    identities.push(`${name} ${i < people ? i + 1 : 1 + random.integer(people)}`);
  }
  await Deno.writeTextFile(join(root, "list_attr_celeba.txt"), attributes.join("\n") + "\n");
  await Deno.writeTextFile(join(root, "identity_CelebA.txt"), identities.join("\n") + "\n");
}

// deno run --allow-read --allow-write tests/data/synthetic_celeba.ts --images 202599 --out DIR
if (import.meta.main) {
  const { images, people, side, seed, out } = parseArgs(Deno.args, {
    string: ["images", "people", "side", "seed", "out"],
    default: { images: "2000", side: "32", seed: "0", out: "celeba" },
  });
  const count = Number(images);
  await writeSyntheticCelebA(out, {
    images: count,
    // As many images of each as CelebA has: 202,599 of 10,177 people.
    people: people === undefined ? Math.ceil(count * 10_177 / 202_599) : Number(people),
    side: Number(side),
    seed: Number(seed),
  });
}
