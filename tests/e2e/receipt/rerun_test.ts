import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { digestFiles } from "../../../lib/audit/record/digest_files.ts";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import { encodeReceipt, readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { receiptBundle, sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { receiptPage } from "../../../lib/audit/receipt/receipt_page.ts";
import { readSigningKey } from "../../../lib/audit/receipt/signing_key.ts";
import { readModel, writeModel } from "../../../lib/model/checkpoint.ts";
import type { Kit } from "../../../lib/model/kit/kit.ts";
import { readKit } from "../../../lib/model/kit/read_kit.ts";
import { writeKit } from "../../../lib/model/kit/write_kit.ts";
import { weightChange } from "../../../lib/model/weight_change.ts";
import { encodeSummary } from "../../../lib/run/summary_file.ts";
import { photos } from "../kit_folder.ts";
import { copy } from "../small_path.ts";
import { audits, inAudited, VERIFY } from "./audited_path.ts";

/** Signs the receipt again, as its operator could, for files as they are now. */
async function sealAgain(folder: string, changes: Partial<Receipt>): Promise<void> {
  const at = (file: string) => join(folder, "audited", file);
  const { signer: _, signature: __, ...rest } = await readReceipt(at("receipt.json"));
  const written = await digestFiles(at("."), rest.written.map(({ file }) => file));
  const key = await readSigningKey(join(folder, "signer"));
  const sealed = await sealReceipt({ ...rest, written, ...changes }, key);
  await Deno.writeTextFile(at("receipt.json"), encodeReceipt(sealed));
  await Deno.writeTextFile(at("receipt.html"), receiptPage(sealed));
  await Deno.writeTextFile(at("receipt.sigstore.json"), receiptBundle(sealed)!);
}

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
    const reseal = (changes: Partial<Receipt> = {}) => sealAgain(folder, changes);
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

Deno.test("audit --rerun says near of other weights on another adapter, and fails for a next kit that would forget otherwise", () =>
  inAudited(async (folder) => {
    const at = (file: string) => join(folder, "audited", file);
    const again = [...VERIFY, "--rerun", "--support", "requests", "--device", "wasm"];
    const kit = await readKit(at("kit"));
    const before = await readModel(join(folder, "kit"));
    const { kitId, weights, change } = await readReceipt(at("receipt.json"));
    const summary = JSON.parse(await Deno.readTextFile(at("summary.json")));
    // As another adapter might round it.
    kit.model.theta.get("head.bias")!.values[0] *= 1 + 2 ** -22;
    /** The run as its operator says that another adapter left it. */
    const leave = async (edit: Partial<Kit["manifest"]>) => {
      for (const part of ["kit", "model"]) await Deno.remove(at(part), { recursive: true });
      const ids = {
        ...kitId!,
        after: await writeKit(at("kit"), { ...kit, manifest: { ...kit.manifest, ...edit } }),
      };
      await writeModel(at("model"), kit.model);
      const after = (await digestFiles(at("model"), ["model.safetensors"]))[0].sha256;
      const said = {
        weights: { ...weights, after },
        change: { ...change!, ...weightChange(before.theta, kit.model.theta) },
      };
      const others = { ...said, device: "another", kit: ids };
      await Deno.writeTextFile(at("summary.json"), encodeSummary({ ...summary, ...others }));
      await sealAgain(folder, { ...said, kitId: ids, adapter: "another" });
    };
    await leave({});
    const near = await audits(folder, [...again, "--kit", "kit"]);
    assertEquals([near.code, near.failed], [0, []], near.said);
    assertMatch(near.said, /\nnear +rerun +on WASM [^\n]* for another: /);
    const { unlearning } = kit.manifest;
    await leave({ unlearning: { ...unlearning, metaLearningRate: 1e-30 } });
    const other = await audits(folder, [...again, "--kit", "kit"]);
    assertEquals([other.code, other.failed], [3, ["next kit", "rerun"]], other.said);
    assertStringIncludes(other.said, "kit/kit.json, in unlearning, is not what the run makes");
  }));
