import {
  CLOSED_EYES,
  DARK_HAIR_COLORS,
  HATS,
  LONG_HAIR,
  OPEN_MOUTHS,
  type Person,
  type Scene,
  SMILES,
} from "./traits.ts";

/** Labels that a picture shows. */
export const VISIBLE_LABELS = [
  "Smiling",
  "Mouth_Open",
  "Eyeglasses",
  "Eyes_Closed",
  "Beard",
  "Hat",
  "Long_Hair",
  "Dark_Hair",
] as const;

/**
 * Labels that no picture shows: a model that has not seen the person can only guess them, so what
 * it knows of them it knows by heart. That is what unlearning must erase.
 */
export const PRIVATE_LABELS = [
  "Private_Fact_1",
  "Private_Fact_2",
  "Private_Fact_3",
  "Private_Fact_4",
] as const;

/** All labels of a portrait, in the order of {@link labelPortrait}. */
export const PORTRAIT_LABELS = [...VISIBLE_LABELS, ...PRIVATE_LABELS];

/** A portrait's labels; hair that a hat hides is neither long nor dark. */
export function labelPortrait(person: Person, scene: Scene): boolean[] {
  const hat = HATS.includes(person.top);
  return [
    SMILES.includes(scene.mouth),
    OPEN_MOUTHS.includes(scene.mouth),
    scene.glasses !== null,
    CLOSED_EYES.includes(scene.eyes),
    person.beard !== null,
    hat,
    LONG_HAIR.includes(person.top),
    !hat && DARK_HAIR_COLORS.includes(person.hairColor),
    ...person.privateFacts,
  ];
}
