import type { KernelChoice } from "../tensor/kernels/autotune/kernel_choice.ts";
import { parseCase } from "../tensor/kernels/autotune/product_choice.ts";
import { JsonFields, parseJsonObject, shown } from "../files/json_fields.ts";
import { type Kind, line, OBJECT } from "../files/json_kinds.ts";
import { LetheError } from "../error.ts";

/** More products than any model has shapes. */
const MOST_PRODUCTS = 1000;
/** What kernels are called; not what this version happens to have. */
const KERNEL_NAME: Kind<string> = {
  rule: "up to 60 plain letters, digits and signs",
  accepts: (value): value is string =>
    typeof value === "string" && /^[A-Za-z0-9 ,.:x_+-]{1,60}$/.test(value),
};
const REMEDY = "restore the file, or convert it with deno task import, which leaves the record out";

/**
 * Reads a record of kernels. Names that this version does not know are no error: such a product is
 * computed as if it had not been measured, with the same result.
 *
 * @param file for errors
 * @throws {LetheError} it is damaged
 */
export function parseKernelChoice(text: string, file: string): KernelChoice {
  const where = `${file}, metadata kernels`;
  const fields = new JsonFields(parseJsonObject(text, where, REMEDY), where, REMEDY);
  const adapter = fields.read("adapter", line(200));
  const products = fields.read("products", OBJECT);
  fields.end();
  const entries = Object.entries(products);
  const wrong = entries.find(([product, kernel]) =>
    parseCase(product) === null || !KERNEL_NAME.accepts(kernel)
  );
  if (wrong || entries.length > MOST_PRODUCTS) {
    throw new LetheError(
      `${where}: ${wrong ? shown(wrong) : `${entries.length} products`}`,
      `it names the kernel of each of at most ${MOST_PRODUCTS} products`,
      REMEDY,
    );
  }
  const choice = { adapter, products: Object.fromEntries(entries) as Record<string, string> };
  if (JSON.stringify(choice) !== text) {
    throw new LetheError(`${where} has spaces or another order`, "it has one text", REMEDY);
  }
  return choice;
}
