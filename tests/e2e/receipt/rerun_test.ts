import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { digestFiles } from "../../../lib/audit/record/digest_files.ts";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import {
  encodeReceipt,
  readReceipt,
  receiptBundle,
  sealReceipt,
} from "../../../lib/audit/receipt/receipt_file.ts";
import { receiptPage } from "../../../lib/audit/receipt/receipt_page.ts";
import { readSigningKey } from "../../../lib/audit/receipt/signing_key.ts";
import { readKit, writeKit } from "../../../lib/model/kit/kit.ts";
import { photos } from "../kit_folder.ts";
import { copy } from "../small_path.ts";
import { audits, inAudited, VERIFY } from "./audited_path.ts";

Deno.test("audit --rerun gives the weights again from the photographs, and fails on other ones", () =>
  inAudited(async (folder) => {
    const again = [...VERIFY, "--rerun", "--support", "requests", "--kit", "kit"];
    const { code, held, failed, said } = await audits(folder, again);
    assertEquals([code, failed], [0, []], said);
    assert(held.includes("rerun"));
    assertMatch(said, /\nheld +rerun +the same weights and next kit, bit for bit, on /);

    const [one, two] = await photos(folder);
    await Deno.copyFile(join(folder, "requests", one), join(folder, "requests", two));
    const other = await audits(folder, again);
    assertEquals([other.code, other.failed], [3, ["requests", "rerun"]], other.said);
    assertStringIncludes(other.said, "other weights on the same adapter");
  }));

Deno.test("audit --rerun finds what an operator hid in the next kit or the summary, and signed", () =>
  inAudited(async (folder) => {
    const at = (file: string) => join(folder, "audited", file);
    const again = [...VERIFY, "--rerun", "--support", "requests", "--kit", "kit"];
    const honest = await Deno.readFile(at("receipt.json"));
    await copy(at("kit"), join(folder, "honest-kit"));
    /** Signs the receipt again for files as they are now. */
    const reseal = async (changes: Partial<Receipt> = {}) => {
      const { signer: _, signature: __, ...rest } = await readReceipt(at("receipt.json"));
      const written = await digestFiles(at("."), rest.written.map(({ file }) => file));
      const key = await readSigningKey(join(folder, "signer"));
      const sealed = await sealReceipt({ ...rest, written, ...changes }, key);
      await Deno.writeTextFile(at("receipt.json"), encodeReceipt(sealed));
      await Deno.writeTextFile(at("receipt.html"), receiptPage(sealed));
      await Deno.writeTextFile(at("receipt.sigstore.json"), receiptBundle(sealed)!);
    };
    await reseal();
    const control = await audits(folder, again);
    assertEquals([control.code, control.failed], [0, []], control.said);

    // A number of the meta-loss, and the kit's own list and id made to fit.
    const kit = await readKit(at("kit"));
    const { values } = [...kit.phi.values()][0];
    values[0] += 1;
    await Deno.remove(at("kit"), { recursive: true });
    const after = await writeKit(at("kit"), kit);
    const { kitId } = await readReceipt(at("receipt.json"));
    const text = await Deno.readTextFile(at("summary.json"));
    await Deno.writeTextFile(at("summary.json"), text.replace(kitId!.after, after));
    await reseal({ kitId: { ...kitId!, after } });
    const hidden = await audits(folder, again);
    assertEquals([hidden.code, hidden.failed], [3, ["rerun"]], hidden.said);
    assertStringIncludes(hidden.said, "kit/meta_loss.safetensors is not what the run makes");

    await Deno.writeFile(at("receipt.json"), honest);
    const { change } = await readReceipt(at("receipt.json"));
    const [name] = Object.keys(change!.norms);
    const told = { ...change!, norms: { ...change!.norms, [name]: change!.norms[name] * 1.001 } };
    await Deno.remove(at("kit"), { recursive: true });
    await copy(join(folder, "honest-kit"), at("kit"));
    await Deno.writeTextFile(
      at("summary.json"),
      text.replace(`"${name}": ${change!.norms[name]}`, `"${name}": ${told.norms[name]}`),
    );
    await reseal({ change: told });
    const misstated = await audits(folder, again);
    assertEquals([misstated.code, misstated.failed], [3, ["change", "rerun"]], misstated.said);
    assertStringIncludes(misstated.said, "summary.json has another change");
  }));
