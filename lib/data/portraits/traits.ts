import type { Options } from "@dicebear/avataaars";
import type { Random } from "../../random.ts";

/** The names that avataaars has for one of its parts. */
type Shape<
  Part extends
    | "top"
    | "facialHair"
    | "eyebrows"
    | "clothing"
    | "clothingGraphic"
    | "mouth"
    | "eyes"
    | "accessories",
> = NonNullable<Options[Part]>[number];

/** What stays the same over a person's pictures; colours are hexadecimal. */
export interface Person {
  readonly top: Shape<"top">;
  readonly hairColor: string;
  readonly hatColor: string;
  readonly skinColor: string;
  /** null: no beard. */
  readonly beard: Shape<"facialHair"> | null;
  readonly eyebrows: Shape<"eyebrows">;
  readonly clothing: Shape<"clothing">;
  readonly clothesColor: string;
  readonly clothingGraphic: Shape<"clothingGraphic">;
  /** Four facts that no picture shows: one can know them only by having learnt this person. */
  readonly privateFacts: readonly boolean[];
}

/** What changes from picture to picture. */
export interface Scene {
  readonly mouth: Shape<"mouth">;
  readonly eyes: Shape<"eyes">;
  /** null: no glasses. */
  readonly glasses: Shape<"accessories"> | null;
  readonly glassesColor: string;
  readonly background: string;
  /** Mirrored. */
  readonly flip: boolean;
  /** Degrees, clockwise. */
  readonly rotate: number;
  /** Per cent. */
  readonly scale: number;
  /** Shift to the right and down, per cent of the side. */
  readonly translateX: number;
  readonly translateY: number;
}

// Only shapes whose labels a person can read off without doubt are drawn: no half-long hair, no
// moustaches, no dark glasses over the eyes.

/** Tops that cover the hair. */
export const HATS: readonly Shape<"top">[] = [
  "hat",
  "winterHat1",
  "winterHat02",
  "winterHat03",
  "winterHat04",
];
/** Hair that falls below the ears. */
export const LONG_HAIR: readonly Shape<"top">[] = [
  "bigHair",
  "bob",
  "curvy",
  "dreads",
  "longButNotTooLong",
  "miaWallace",
  "straight01",
  "straight02",
  "straightAndStrand",
];
const SHORT_HAIR: readonly Shape<"top">[] = [
  "bun",
  "dreads01",
  "dreads02",
  "frizzle",
  "shaggy",
  "shortCurly",
  "shortFlat",
  "shortRound",
  "shortWaved",
  "theCaesar",
  "theCaesarAndSidePart",
];
/** Black and dark brown. */
export const DARK_HAIR_COLORS = ["2c1b18", "4a312c"];
const LIGHT_HAIR_COLORS = ["a55728", "b58143", "c93305", "d6b370", "e8e1e1", "ecdcbf", "f59797"];
const SKIN_COLORS = ["614335", "ae5d29", "d08b5b", "edb98a", "f8d25c", "fd9841", "ffdbb4"];
const BEARDS: readonly Shape<"facialHair">[] = ["beardLight", "beardMajestic", "beardMedium"];
const EYEBROWS: readonly Shape<"eyebrows">[] = [
  "angryNatural",
  "default",
  "flatNatural",
  "raisedExcited",
  "sadConcernedNatural",
  "unibrowNatural",
  "upDown",
];
const CLOTHING: readonly Shape<"clothing">[] = [
  "blazerAndShirt",
  "blazerAndSweater",
  "collarAndSweater",
  "graphicShirt",
  "hoodie",
  "overall",
  "shirtCrewNeck",
  "shirtScoopNeck",
  "shirtVNeck",
];
const GRAPHICS: readonly Shape<"clothingGraphic">[] = [
  "bat",
  "bear",
  "deer",
  "diamond",
  "pizza",
  "skull",
];
const CLOTHES_COLORS = [
  "25557c",
  "262e33",
  "3c4f5c",
  "5199e4",
  "929598",
  "a7ffc4",
  "b1e2ff",
  "e6e6e6",
  "ff488e",
  "ff5c5c",
  "ffffb1",
];

/** Mouths that smile. */
export const SMILES: readonly Shape<"mouth">[] = ["smile", "tongue", "twinkle"];
/** Mouths that are open. */
export const OPEN_MOUTHS: readonly Shape<"mouth">[] = [
  "disbelief",
  "screamOpen",
  "smile",
  "tongue",
];
const MOUTHS: readonly Shape<"mouth">[] = [
  "disbelief",
  "sad",
  "screamOpen",
  "serious",
  "smile",
  "tongue",
  "twinkle",
];
/** Eyes that are shut. */
export const CLOSED_EYES: readonly Shape<"eyes">[] = ["closed", "happy"];
const EYES: readonly Shape<"eyes">[] = [
  "closed",
  "default",
  "eyeRoll",
  "happy",
  "side",
  "surprised",
];
const GLASSES: readonly Shape<"accessories">[] = ["prescription01", "prescription02", "round"];
const GLASSES_COLORS = ["25557c", "262e33", "ff5c5c", "ffffff"];
const BACKGROUNDS = [
  "6b8e7f",
  "8d7b9c",
  "a3b18a",
  "b6e3f4",
  "c0aede",
  "d1d4f9",
  "d9c7a8",
  "ffd5dc",
];

/** Draws a person; the private facts come from a stream of their own, so they follow no trait. */
export function drawPerson(random: Random): Person {
  const pick = picker(random.fork("traits"));
  const facts = random.fork("private facts");
  const headwear = pick.chance(0.2) ? HATS : pick.chance(0.5) ? LONG_HAIR : SHORT_HAIR;
  return {
    top: pick.one(headwear),
    hairColor: pick.one(pick.chance(0.45) ? DARK_HAIR_COLORS : LIGHT_HAIR_COLORS),
    hatColor: pick.one(CLOTHES_COLORS),
    skinColor: pick.one(SKIN_COLORS),
    beard: pick.chance(0.4) ? pick.one(BEARDS) : null,
    eyebrows: pick.one(EYEBROWS),
    clothing: pick.one(CLOTHING),
    clothesColor: pick.one(CLOTHES_COLORS),
    clothingGraphic: pick.one(GRAPHICS),
    privateFacts: Array.from({ length: 4 }, () => facts.integer(2) === 1),
  };
}

/** Draws how one picture is taken. */
export function drawScene(random: Random): Scene {
  const pick = picker(random);
  return {
    mouth: pick.one(MOUTHS),
    eyes: pick.one(EYES),
    glasses: pick.chance(0.4) ? pick.one(GLASSES) : null,
    glassesColor: pick.one(GLASSES_COLORS),
    background: pick.one(BACKGROUNDS),
    flip: pick.chance(0.5),
    rotate: pick.between(-12, 12),
    scale: pick.between(105, 130),
    translateX: pick.between(-6, 6),
    // Downwards, so that growing costs shoulders and not hair.
    translateY: pick.between(4, 12),
  };
}

function picker(random: Random) {
  return {
    one: <T>(options: readonly T[]): T => options[random.integer(options.length)],
    chance: (probability: number): boolean => random.uniform() < probability,
    between: (low: number, high: number): number => low + random.integer(high - low + 1),
  };
}
