/**
 * Asks for what comes next before it is needed, in order and within a bound: for the first pieces when it
 * is called, before any is taken.
 *
 * @param pieces lists of items, in the order of their use
 * @param load begins to load a piece
 * @param ahead items asked for beyond the piece in use; of a larger piece, that one
 * @returns what was loaded, piece by piece
 * @throws what `load` of the piece in turn throws
 */
export function prefetch<T, L>(
  pieces: readonly (readonly T[])[],
  load: (piece: readonly T[]) => Promise<L>,
  ahead: number,
): AsyncGenerator<L, void> {
  const loading: Promise<L>[] = [];
  let asked = 0;
  let taken = 0;
  const ask = (turn: number) => {
    taken += pieces[turn].length;
    for (
      let next = turn + loading.length;
      next < pieces.length && (next === turn || asked < taken + ahead);
      next++
    ) {
      const answer = load(pieces[next]);
      answer.catch(() => {}); // told in its turn, if that comes
      loading.push(answer);
      asked += pieces[next].length;
    }
  };
  if (pieces.length > 0) ask(0);
  return (async function* () {
    for (const turn of pieces.keys()) {
      if (turn > 0) ask(turn);
      yield await loading.shift()!;
    }
  })();
}
