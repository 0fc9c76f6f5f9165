/**
 * Asks for what comes next before it is needed, in order and within a bound: for the first pieces when it
 * is called, before any is taken.
 *
 * @param pieces lists of items, in the order of their use; each is looked at when it is asked for
 * @param load begins to load a piece
 * @param ahead items asked for beyond the piece in use; of a larger piece, that one
 * @returns what was loaded, piece by piece
 * @throws what `load` of the piece in turn throws
 */
export function prefetch<T, L>(
  pieces: Iterable<readonly T[]>,
  load: (piece: readonly T[]) => Promise<L>,
  ahead: number,
): AsyncGenerator<L, void> {
  const rest = pieces[Symbol.iterator]();
  const loading: { readonly answer: Promise<L>; readonly items: number }[] = [];
  /** Items asked for beyond the piece in use. */
  let beyond = 0;
  const askNext = (): boolean => {
    const { done, value } = rest.next();
    if (done) return false;
    const answer = load(value);
    answer.catch(() => {}); // told in its turn, if that comes
    loading.push({ answer, items: value.length });
    beyond += value.length;
    return true;
  };
  /** @returns whether there is a piece to use */
  const ask = (): boolean => {
    if (loading.length === 0 && !askNext()) return false;
    beyond -= loading[0].items;
    while (beyond < ahead && askNext());
    return true;
  };
  let there = ask();
  return (async function* () {
    for (; there; there = ask()) yield await loading.shift()!.answer;
  })();
}
