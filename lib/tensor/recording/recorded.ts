import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { choiceNumber } from "../kernels/autotune/product_choice.ts";
import { onCard } from "../kernels/webgpu/card.ts";
import { precision } from "../precision.ts";
import { Arena } from "./arena.ts";
import { activeWebgpu } from "./owned_tensor.ts";
import { type Form, formOf, type Forms, Recording, type Tensors } from "./recording.ts";

/** Recordings of one step that are kept: they share their memory, but not what they are made of. */
const KEPT = 4;

let recording = true;

/** Whether steps are recorded from now on; off, they run as they are written. */
export function useRecording(on: boolean): void {
  recording = on;
}

/**
 * A step that is recorded when it first runs and replayed from then on (WebGPU; elsewhere it runs as it
 * is written). For inputs of other shapes, another precision or other kernels it is recorded anew.
 */
export class Recorded<In extends Tensors, Out extends Tensors> {
  readonly #step: (inputs: In) => Out;
  /** By what they fit, the latest last. */
  readonly #recordings = new Map<string, Recording>();
  readonly #arena = new Arena();
  /** What the recordings run on. */
  #backend: LetheBackend | null = null;
  /** What staying inputs add to the key, and of which version they were. */
  #stayed: { readonly version: unknown; readonly key: string } | null = null;
  #unrecorded: Tensors = {};

  /**
   * @param step gives tensors from tensors. It may depend on nothing that changes but its inputs and the
   *   contents of tensors that were there before, reads nothing back and waits for nothing
   */
  constructor(step: (inputs: In) => Out) {
    this.#step = step;
  }

  /**
   * Queues the step.
   *
   * @param inputs stay the caller's; numbers that are still on the host go straight to their place
   * @param staying those of them, by name, that are as they were in all runs of the same version
   * @returns its outputs, which stay this object's: they hold until the next run
   */
  run(inputs: In, staying?: ReadonlySet<string>, version?: unknown): Out {
    const backend = activeWebgpu();
    if (!backend || !recording) {
      tf.dispose(Object.values(this.#unrecorded));
      const outputs = tf.tidy(() => {
        const outputs = this.#step(inputs);
        Object.values(outputs).forEach((tensor) => tf.keep(tensor));
        return outputs;
      });
      this.#unrecorded = outputs;
      return outputs;
    }
    const form = (name: string) => formOf(backend, inputs[name]);
    const names = Object.keys(inputs);
    const key = this.#keyOf(names, form, staying, version);
    const found = this.#found(
      backend,
      key,
      () => Object.fromEntries(names.map((name) => [name, form(name)])),
    );
    found.run(inputs, staying, version);
    return found.outputs as Out;
  }

  /**
   * Records the step for inputs to come, which compiles its programs, and does nothing of it: what else is
   * under way, such as loading those inputs, goes on meanwhile.
   */
  prepare(inputs: Forms): void {
    const backend = activeWebgpu();
    if (!backend || !recording) return;
    const key = this.#keyOf(Object.keys(inputs), (name) => inputs[name]);
    this.#found(backend, key, () => inputs);
  }

  /** The recording for inputs of these forms, made where there is none. */
  #found(backend: LetheBackend, key: string, inputs: () => Forms): Recording {
    // Those of a device that was opened before hold buffers that this one does not know.
    if (this.#backend !== backend) this.#forget();
    this.#backend = backend;
    let found = this.#recordings.get(key);
    this.#recordings.delete(key);
    if (!found) {
      const [[oldest, old] = []] = this.#recordings.size >= KEPT ? this.#recordings : [];
      old?.dispose();
      if (oldest !== undefined) this.#recordings.delete(oldest);
      found = new Recording(
        backend,
        this.#step as unknown as (inputs: Tensors) => Tensors,
        inputs(),
        this.#arena,
      );
    }
    this.#recordings.set(key, found);
    return found;
  }

  /** All that a recording depends on besides the step; of what stays, shapes are looked at once. */
  #keyOf(
    names: readonly string[],
    form: (name: string) => Form,
    staying?: ReadonlySet<string>,
    version?: unknown,
  ): string {
    const of = (names: readonly string[]) =>
      JSON.stringify(names.map((name) => {
        const { shape, dtype, deferred } = form(name);
        return [name, shape, dtype, deferred?.key];
      }));
    const mode = `${precision()} ${choiceNumber()} ${onCard()}`;
    if (!staying || version === undefined) return `${mode} ${of(names)}`;
    if (this.#stayed?.version !== version) {
      this.#stayed = { version, key: of(names.filter((name) => staying.has(name))) };
    }
    const others = of(names.filter((name) => !staying.has(name)));
    return `${mode} ${this.#stayed!.key} ${others}`;
  }

  /** Programs per run and bytes of the latest recording; null where there is none. */
  get size(): { programs: number; bytes: number } | null {
    const latest = [...this.#recordings.values()].at(-1);
    if (!latest) return null;
    return { programs: latest.programs, bytes: latest.bytes + this.#arena.bytes };
  }

  #forget(): void {
    for (const each of this.#recordings.values()) each.dispose();
    this.#recordings.clear();
    this.#arena.dispose();
  }

  /** Frees all recordings and outputs. */
  dispose(): void {
    this.#forget();
    tf.dispose(Object.values(this.#unrecorded));
    this.#unrecorded = {};
  }
}
