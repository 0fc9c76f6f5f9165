import { closestName } from "../../lib/closest_name.ts";
import { UsageError } from "../../lib/error.ts";
import type { OptionRow } from "./options.ts";

/**
 * The value that a text stands for.
 *
 * @param name the option as it is written, for errors
 * @param text not empty
 * @throws UsageError a number out of range or none at all, an unknown choice, a value listed twice
 */
export function readValue(
  name: string,
  row: Exclude<OptionRow, { kind: "flag" }>,
  text: string,
): string | number | readonly string[] {
  switch (row.kind) {
    case "integer":
    case "number":
      return readNumber(name, row, text);
    case "choice":
      return readChoice(name, row.of, text);
    case "list":
      return readList(name, row.of, text);
    default:
      return text;
  }
}

function readNumber(
  name: string,
  { kind, min = -Infinity, max = Infinity }: { kind: string; min?: number; max?: number },
  text: string,
): number {
  const value = Number(text);
  // Number() also reads "0x10", " 1 " and "Infinity", which nobody means here.
  const right = /^[-+.\de]+$/i.test(text) && Number.isFinite(value) &&
    (kind === "number" || Number.isSafeInteger(value));
  if (right && value >= min && value <= max) return value;
  throw new UsageError(
    `${name} ${text}`,
    `it takes ${kind === "integer" ? "a whole number" : "a number"}${range(min, max)}`,
    "choose another value",
  );
}

function range(min: number, max: number): string {
  if (min === -Infinity) return max === Infinity ? "" : ` of at most ${max}`;
  return max === Infinity ? ` of at least ${min}` : ` from ${min} to ${max}`;
}

function readChoice(name: string, choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  const near = closestName(text, choices);
  throw new UsageError(
    `${name} ${text}`,
    `it takes ${choices.join(", ")}`,
    near === null ? "choose one of them" : `did you mean ${near}?`,
  );
}

function readList(name: string, choices: readonly string[] | undefined, text: string): string[] {
  const items = text.split(",").map((item) => item.trim());
  items.forEach((item, i) => {
    if (item === "") {
      throw new UsageError(`${name} ${text}`, "no value in a list is empty", "drop a comma");
    }
    if (items.indexOf(item) < i) {
      throw new UsageError(`${name} ${text}`, `a list names nothing twice`, `drop one ${item}`);
    }
    if (choices) readChoice(name, choices, item);
  });
  return items;
}
