import { assert, assertEquals } from "@std/assert";
import { drawPortrait } from "../../../lib/data/portraits/draw.ts";
import {
  labelPortrait,
  PORTRAIT_LABELS,
  VISIBLE_LABELS,
} from "../../../lib/data/portraits/labels.ts";
import {
  drawPerson,
  drawScene,
  type Person,
  type Scene,
} from "../../../lib/data/portraits/traits.ts";
import { Random } from "../../../lib/random.ts";

function draw(index: number): { person: Person; scene: Scene } {
  const random = new Random(0, "labels test").fork(String(index));
  return { person: drawPerson(random), scene: drawScene(random.fork("scene")) };
}

Deno.test("labelPortrait gives every label often enough and seldom enough to be learnt", () => {
  const count = 4000;
  const sums = PORTRAIT_LABELS.map(() => 0);
  for (let i = 0; i < count; i++) {
    const { person, scene } = draw(i);
    labelPortrait(person, scene).forEach((yes, label) => sums[label] += yes ? 1 : 0);
  }
  sums.forEach((sum, label) => {
    const [low, high] = label < VISIBLE_LABELS.length ? [0.15, 0.65] : [0.47, 0.53];
    const share = sum / count;
    assert(share > low && share < high, `${PORTRAIT_LABELS[label]}: ${share}`);
  });
});

Deno.test("labelPortrait's private facts follow nothing that is drawn, nor each other", () => {
  const count = 4000;
  const people = Array.from({ length: count }, (_, i) => draw(i).person);
  const drawn = people.map(({ privateFacts: _, ...traits }) => traits);
  for (let fact = 0; fact < 4; fact++) {
    const rate = (chosen: readonly Person[]) =>
      chosen.filter(({ privateFacts }) => privateFacts[fact]).length / chosen.length;
    for (const trait of Object.keys(drawn[0]) as (keyof typeof drawn[0])[]) {
      for (const value of new Set(drawn.map((traits) => traits[trait]))) {
        const chosen = people.filter((person) => person[trait] === value);
        const deviation = (rate(chosen) - 0.5) * 2 * Math.sqrt(chosen.length);
        assert(Math.abs(deviation) < 4.5, `fact ${fact} given ${trait} ${value}: ${deviation}`);
      }
    }
    for (let other = 0; other < fact; other++) {
      const agreement = people.filter(({ privateFacts }) =>
        privateFacts[fact] === privateFacts[other]
      ).length;
      assert(Math.abs(agreement / count - 0.5) < 0.04, `facts ${fact} and ${other}`);
    }
  }
});

Deno.test("drawPortrait does not show the private facts", () => {
  const { person, scene } = draw(0);
  const other = { ...person, privateFacts: person.privateFacts.map((fact) => !fact) };
  assertEquals(drawPortrait(other, scene, 48), drawPortrait(person, scene, 48));
});

Deno.test("drawPortrait shows every trait that a visible label speaks of", () => {
  const { person, scene } = draw(1);
  const plain: [Person, Scene] = [
    { ...person, top: "shortFlat", beard: null, hairColor: "ecdcbf" },
    { ...scene, mouth: "serious", eyes: "default", glasses: null },
  ];
  const changes: [string, Partial<Person>, Partial<Scene>][] = [
    ["Smiling", {}, { mouth: "twinkle" }],
    ["Mouth_Open", {}, { mouth: "screamOpen" }],
    ["Eyeglasses", {}, { glasses: "round" }],
    ["Eyes_Closed", {}, { eyes: "closed" }],
    ["Beard", { beard: "beardLight" }, {}],
    ["Hat", { top: "winterHat02" }, {}],
    ["Long_Hair", { top: "straight01" }, {}],
    ["Dark_Hair", { hairColor: "2c1b18" }, {}],
  ];
  const before = drawPortrait(...plain, 48).rgb;
  const names = (person: Person, scene: Scene) =>
    VISIBLE_LABELS.filter((_, label) => labelPortrait(person, scene)[label]);
  assertEquals(names(...plain), []);
  for (const [label, personChange, sceneChange] of changes) {
    const changed: [Person, Scene] = [
      { ...plain[0], ...personChange },
      { ...plain[1], ...sceneChange },
    ];
    assertEquals(names(...changed) as string[], [label]);
    const after = drawPortrait(...changed, 48).rgb;
    let pixels = 0;
    for (let i = 0; i < after.length; i += 3) {
      const far = [0, 1, 2].some((channel) =>
        Math.abs(after[i + channel] - before[i + channel]) > 32
      );
      pixels += far ? 1 : 0;
    }
    assert(pixels >= 4, `${label} changes ${pixels} pixels`);
  }
});
