/** The positions of each person's images, people in the order of their first image. */
export function positionsByPerson(identities: readonly string[]): Map<string, number[]> {
  const people = new Map<string, number[]>();
  identities.forEach((identity, position) => {
    const own = people.get(identity);
    if (own) own.push(position);
    else people.set(identity, [position]);
  });
  return people;
}
