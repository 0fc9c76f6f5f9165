import type { Samples } from "../../data/sample.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";

/**
 * Groups samples by identity; rows follow the sorted identities.
 *
 * @param offset index of the first sample's image
 */
export function peopleOf(samples: Samples, offset: number) {
  const images = new Map<string, number[]>();
  samples.forEach(({ identity }, i) => {
    const own = images.get(identity);
    if (own) own.push(offset + i);
    else images.set(identity, [offset + i]);
  });
  const identities = [...images.keys()].sort();
  const people: Person[] = identities.map((identity, row) => ({
    row,
    images: images.get(identity)!,
  }));
  return { identities, people };
}
