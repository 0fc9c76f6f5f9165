import type { DataId, TensorInfo } from "@tensorflow/tfjs";
import type { LetheBackend, QueuedProgram, Tracer } from "../backend/lethe_backend.ts";
import { bytesOf, type TensorData } from "../backend/tensor_data.ts";
import { newPlace, type Place, touch } from "./place.ts";

/** A program of a recorded step. */
export interface TracedProgram extends Omit<QueuedProgram, "tensors"> {
  readonly places: readonly Place[];
}

/**
 * What a step does, noted instead of done: every program with the places it touches. Tensors that were
 * there before the step, or that came from the host within it, keep their buffers, which the trace holds.
 */
export class Trace implements Tracer {
  readonly programs: TracedProgram[] = [];
  /** Places whose memory is to be planned. */
  readonly planned: Place[] = [];
  readonly #backend: LetheBackend;
  readonly #places = new Map<DataId, Place>();
  readonly #held: DataId[] = [];

  constructor(backend: LetheBackend) {
    this.#backend = backend;
  }

  tensor(id: DataId, data: TensorData): void {
    if (this.#places.has(id)) return;
    const place = newPlace(bytesOf(data));
    this.#places.set(id, place);
    this.planned.push(place);
  }

  program({ tensors, ...program }: QueuedProgram): void {
    const places = tensors.map(({ dataId }) => this.placeOf(dataId));
    places.forEach((place) => touch(place, this.programs.length));
    this.programs.push({ ...program, places });
  }

  join(
    whole: DataId,
    parts: readonly { readonly id: DataId; readonly offset: number }[],
    fresh = false,
  ): number[] {
    const place = this.placeOf(whole);
    // What is between the parts stays zero.
    place.alone = true;
    const apart: number[] = [];
    parts.forEach(({ id, offset }, i) => {
      const part = this.placeOf(id);
      if (part.at || part.within || !fresh && this.#meets(part, place)) return apart.push(i);
      part.within = { place, offset };
      if (part.last >= 0) { for (const program of [part.first, part.last]) touch(place, program); }
    });
    return apart;
  }

  /** Whether a program writes a place and reads another part of the same whole, or the other way round. */
  #meets(part: Place, whole: Place): boolean {
    return this.programs.slice(Math.max(0, part.first), part.last + 1)
      .some(({ places, written }) => {
        const own = written.filter((_, i) => places[i] === part);
        const others = written.filter((_, i) => places[i].within?.place === whole);
        return own.some((writes) => others.includes(!writes));
      });
  }

  /** Where a tensor lies; one from outside is held from now on. */
  placeOf(id: DataId): Place {
    const known = this.#places.get(id);
    if (known) return known;
    this.#backend.uploadToGPU(id);
    const data = this.#backend.tensorMap.get(id);
    if (!data.resource) return this.#places.get(id)!;
    const at = { buffer: data.resource, offset: data.offset ?? 0 };
    const place: Place = { ...newPlace(bytesOf(data)), at };
    this.#places.set(id, place);
    this.#backend.incRef(id);
    this.#held.push(id);
    return place;
  }

  /** Whether a tensor is one that the step makes. */
  makes({ dataId }: TensorInfo): boolean {
    return this.#places.get(dataId)?.at === undefined && this.#places.has(dataId);
  }

  /** Lets go of the tensors from outside. */
  release(): void {
    for (const id of this.#held.splice(0)) this.#backend.disposeData(id);
  }
}
