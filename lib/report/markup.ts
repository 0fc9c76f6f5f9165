import { escapeHtml } from "../audit/receipt/receipt_page.ts";

/** Text that is HTML or SVG already: what {@link html} makes, so that all else is escaped. */
export class Markup {
  readonly text: string;

  /** @param text well-formed markup */
  constructor(text: string) {
    this.text = text;
  }
}

/** What {@link html} takes into its gaps. */
export type Content = Markup | string | number | readonly Content[];

/**
 * Markup from a template. Whatever comes in through a gap and is no markup itself is escaped: names of
 * people and files come from data sets, and a report is opened in a browser.
 */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.reduce((whole, text, i) => whole + markupOf(contents[i - 1]) + text));
}

function markupOf(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === "string") return escapeHtml(content);
  if (typeof content === "number") return String(content);
  return content.map(markupOf).join("");
}
