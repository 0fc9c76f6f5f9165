import { type Content, html, type Markup } from "./markup.ts";

/**
 * A table that scrolls by itself where the page is narrow. A row's first cell is its heading.
 *
 * @param header one heading per column
 * @param rows as many cells each
 */
export function htmlTable(
  header: readonly string[],
  rows: readonly (readonly Content[])[],
): Markup {
  const headings = header.map((text) => html`<th scope="col">${text}</th>`);
  const body = rows.map(([heading, ...cells]) => {
    const data = cells.map((cell) => html`<td>${cell}</td>`);
    return html`<tr><th scope="row">${heading}</th>${data}</tr>`;
  });
  return html`
    <div class="wide">
      <table>
        <thead>
          <tr>${headings}</tr>
        </thead>
        <tbody>${body}</tbody>
      </table>
    </div>
  `;
}
