import * as avataaars from "@dicebear/avataaars";
import { createAvatar } from "@dicebear/core";
import type { Image } from "../images/decode_image.ts";
import { rasterizeSvg } from "./rasterize_svg.ts";
import type { Person, Scene } from "./traits.ts";

/**
 * Draws one portrait in DiceBear's style "avataaars", a remix of Pablo Stanley's Avataaars.
 *
 * @param person who
 * @param scene how
 * @param side pixels a side
 */
export function drawPortrait(person: Person, scene: Scene, side: number): Image {
  // Every option is given with one value, so the library's own randomness decides nothing.
  const svg = createAvatar(avataaars, {
    style: ["default"],
    base: ["default"],
    nose: ["default"],
    top: [person.top],
    topProbability: 100,
    hairColor: [person.hairColor],
    hatColor: [person.hatColor],
    skinColor: [person.skinColor],
    facialHair: person.beard === null ? [] : [person.beard],
    facialHairColor: [person.hairColor],
    facialHairProbability: person.beard === null ? 0 : 100,
    eyebrows: [person.eyebrows],
    clothing: [person.clothing],
    clothesColor: [person.clothesColor],
    clothingGraphic: [person.clothingGraphic],
    mouth: [scene.mouth],
    eyes: [scene.eyes],
    accessories: scene.glasses === null ? [] : [scene.glasses],
    accessoriesColor: [scene.glassesColor],
    accessoriesProbability: scene.glasses === null ? 0 : 100,
    backgroundColor: [scene.background],
    flip: scene.flip,
    rotate: (scene.rotate + 360) % 360,
    scale: scene.scale,
    translateX: scene.translateX,
    translateY: scene.translateY,
  });
  return rasterizeSvg(svg.toString(), side);
}
