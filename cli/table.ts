/** A fraction as percent with one decimal: 0.8347 -> `83.5`. Null is a dash. */
export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? "-" : (100 * fraction).toFixed(1);
}

/**
 * Lines of a table: the first column to the left, the others to the right, a rule below the header.
 *
 * @param header one cell per column
 * @param rows as many cells each
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = header.map((cell, c) =>
    Math.max(cell.length, ...rows.map((row) => (row[c] ?? "").length))
  );
  const line = (row: readonly string[]) =>
    widths.map((width, c) =>
      c === 0 ? (row[c] ?? "").padEnd(width) : (row[c] ?? "").padStart(width)
    )
      .join("  ").trimEnd();
  return [line(header), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}
