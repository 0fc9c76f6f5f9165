/** FNV-1a's numbers; the second sum begins elsewhere. */
const [PRIME, BEGIN, OTHER] = [0x01000193, 0x811c9dc5, 0x9dc5811c];

/**
 * Tells a set of names from another by 64 bits, in whatever order they come: of hundreds of thousands,
 * listed in the order of a file system, sorting alone would take a second. It notices accidents. Names that
 * are made to have one sum hide nothing either: an image is held against its own hash when it is read.
 */
export function nameSum() {
  let [count, one, two] = [0, 0, 0];
  return {
    add(name: string): void {
      let [a, b] = [BEGIN, OTHER];
      for (let i = 0; i < name.length; i++) {
        const unit = name.charCodeAt(i);
        a = Math.imul(a ^ (unit & 0xff), PRIME);
        a = Math.imul(a ^ (unit >> 8), PRIME);
        // The other way round, so that the two do not collide together.
        b = Math.imul(b, PRIME) ^ unit;
      }
      count++;
      one = (one + mixed(a)) | 0;
      two = (two + mixed(b)) | 0;
    },
    /** Of all names so far. */
    text: () => [count, one >>> 0, two >>> 0].map((number) => number.toString(16)).join("-"),
  };
}

/** Murmur3's last step: names that differ in one letter have sums that differ in half of all bits. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
