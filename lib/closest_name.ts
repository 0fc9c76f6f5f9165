/**
 * The name that a misspelt one was probably meant to be: the nearest by insertions, deletions,
 * substitutions and swaps of neighbours, letter case aside, when no more than a third of its
 * letters differ.
 *
 * @returns null when none is near
 */
export function closestName(misspelt: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const name of names) {
    const distance = editDistance(misspelt.toLowerCase(), name.toLowerCase());
    if (distance < least && distance <= Math.max(1, name.length / 3)) {
      least = distance;
      best = name;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, rows[i - 1][j] + 1, row[j - 1] + 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
