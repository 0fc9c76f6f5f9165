/**
 * A Markdown table, padded as `deno fmt` pads it.
 *
 * @param header one cell per column
 * @param rows at most as many cells each
 */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const cells = [header, ...rows].map((row) =>
    header.map((_, c) => (row[c] ?? "").replaceAll("|", "\\|"))
  );
  const widths = header.map((_, c) => Math.max(3, ...cells.map((row) => [...row[c]].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, c) => cell + " ".repeat(widths[c] - [...cell].length)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)];
}
