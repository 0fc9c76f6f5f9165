/** A fraction as percent with one decimal: 0.8347 -> `83.5`. What is no number is a dash. */
export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return "-";
  return (100 * fraction).toFixed(1).replace(/^-0\.0$/, "0.0");
}

/** `83.5`, `-0.2`, `85.5 ± 1.1`, `0.2 s`, or the dash of a gap. */
const NUMBER = /^[-+]?\.?\d|^-?$/;

/**
 * Lines of a table: columns of numbers to the right, the first column and other text to the left, a
 * rule below the header.
 *
 * @param header one cell per column
 * @param rows at most as many cells each
 * @param notes lines below the table
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  notes: readonly string[] = [],
): string[] {
  const columns = header.map((title, c) => {
    const cells = rows.map((row) => row[c] ?? "");
    return {
      width: Math.max(...[title, ...cells].map((cell) => [...cell].length)),
      right: c > 0 && cells.every((cell) => NUMBER.test(cell)),
    };
  });
  const line = (row: readonly string[]) =>
    columns.map(({ width, right }, c) => {
      const cell = row[c] ?? "";
      const gap = " ".repeat(width - [...cell].length);
      return right ? gap + cell : cell + gap;
    }).join("  ").trimEnd();
  const rule = columns.map(({ width }) => "-".repeat(width)).join("  ");
  return [line(header), rule, ...rows.map(line), ...notes];
}
