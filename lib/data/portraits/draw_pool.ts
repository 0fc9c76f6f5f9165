import { answerQuestions, questionsTo } from "../../threads/questions.ts";
import { encodePng } from "../images/encode_png.ts";
import { drawPortrait } from "./draw.ts";
import type { Person, Scene } from "./traits.ts";

/** A picture to draw: who, how, and pixels a side. */
export interface Portrait {
  readonly person: Person;
  readonly scene: Scene;
  readonly side: number;
}

/** Draws pictures, on other threads where they are many. */
export interface DrawPool extends Disposable {
  /** Pictures to ask for at a time, so that every thread is busy. */
  readonly atOnce: number;
  /** @returns a PNG file's bytes, the same on every thread */
  draw(portrait: Portrait): Promise<Uint8Array>;
}

/** Pictures that a thread is worth: it takes about as long to start. */
const PICTURES_PER_THREAD = 100;
const MOST_THREADS = 8;
const NAME = "lethe-draw";

/** A pool for so many pictures; its threads have no permission at all. */
export function openDrawPool(pictures: number): DrawPool {
  const count = Math.min(
    navigator.hardwareConcurrency,
    MOST_THREADS,
    Math.floor(pictures / PICTURES_PER_THREAD),
  );
  if (count < 2) {
    return {
      atOnce: 1,
      draw: (portrait) => Promise.resolve(pngOf(portrait)),
      [Symbol.dispose]() {},
    };
  }
  const deno = { permissions: "none" } as const;
  const threads = Array.from(
    { length: count },
    () => questionsTo<Portrait>(new Worker(import.meta.url, { type: "module", name: NAME, deno })),
  );
  let next = 0;
  return {
    atOnce: 4 * count,
    draw: (portrait) => threads[next++ % count].ask<Uint8Array>(portrait),
    [Symbol.dispose]() {
      for (const thread of threads) thread[Symbol.dispose]();
    },
  };
}

function pngOf({ person, scene, side }: Portrait): Uint8Array {
  return encodePng(drawPortrait(person, scene, side));
}

answerQuestions(NAME, pngOf);
