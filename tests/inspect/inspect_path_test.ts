import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";
import { planGrid } from "../../lib/benchmark/plan.ts";
import { TINY_GRID } from "../benchmark/tiny_grid.ts";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import { LetheError } from "../../lib/error.ts";
import { inspectPath } from "../../lib/inspect/inspect_path.ts";
import { execute } from "../../cli/command/command.ts";
import { inspect } from "../../tasks/inspect.ts";
import { copyFolder } from "../../lib/files/copy_folder.ts";
import { confirmationPage } from "../../lib/audit/receipt/confirmation_page.ts";
import { writeMakingReceipt } from "../../lib/audit/receipt/making_receipt.ts";
import { writePack } from "../../lib/audit/receipt/pack.ts";
import { readReceipt } from "../../lib/audit/receipt/receipt_file.ts";
import { newSigningKey, readSigningKey } from "../../lib/audit/receipt/signing_key.ts";
import {
  keyFingerprint,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import { appendLedger } from "../../lib/run/ledger.ts";
import { beginUse } from "../../lib/model/kit/kit_uses.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));
const at = (...names: string[]) => join(FIXTURES, ...names);

Deno.test("inspectPath tells a kit, a model, a split, requests, a receipt and an output folder apart", async () => {
  const kinds = {
    [at("4832d1b/kit")]: "kit",
    [at("4832d1b/unlearned/model")]: "model",
    [at("4832d1b/split.json")]: "split",
    [at("4832d1b/requests")]: "requests",
    [at("4832d1b/unlearned/receipt.json")]: "receipt",
    [at("4832d1b/unlearned")]: "output folder",
  };
  for (const [path, kind] of Object.entries(kinds)) {
    const found = await inspectPath(path);
    assertEquals([found.kind, found.value.kind], [kind, kind], path);
    assertEquals(JSON.parse(JSON.stringify(found.value)).kind, kind);
  }
});

Deno.test("inspectPath tells of a kit its generation, who was forgotten, what is stale and whose key it has", async () => {
  const [first, next] = await Promise.all(
    [at("4832d1b/kit"), at("4832d1b/unlearned/kit")].map((path) => inspectPath(path)),
  );
  assertEquals([first.value.generation, next.value.generation], [0, 1]);
  assertEquals(first.value.forgotten, 0);
  const people = Number(first.value.canForget);
  assertEquals(Number(next.value.canForget) + Number(next.value.forgotten), people);
  assertEquals([first.value.stale, next.value.stale], [[], ["statistics of SSD and PGU"]]);
  assertEquals(first.value.identityKey, next.value.identityKey);
  assertEquals(typeof first.value.identityKey, "string");
  const key = (await Deno.readTextFile(at("4832d1b/kit.identity-key"))).trim();
  assertEquals(JSON.stringify(first).includes(key), false);
});

Deno.test("inspectPath tells of a data set people, shares, images that come twice or do not decode", () =>
  inTemporaryFolder(async (folder) => {
    const png = (seed: number) =>
      encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).fill(seed) });
    await writeFiles(folder, {
      "a/0.png": png(1),
      "a/1.png": png(2),
      "b/0.png": png(1),
      "b/1.png": "",
      "labels.csv": "file,identity,wet,rare\na/0.png,a,1,0\na/1.png,a,0,0\nb/0.png,b,1,0\n" +
        "b/1.png,b,1,0\nc/0.heic,c,1,0\n",
      "c/0.heic": "x",
    });
    const { value, notes } = await inspectPath(folder);
    assertEquals([value.people, value.images, value.absent], [2, 4, 1]);
    assertEquals(value.labels, [{ label: "wet", share: 0.75 }, { label: "rare", share: 0 }]);
    assertEquals(value.broken, ["b/1.png is empty"]);
    assertEquals((value.duplicates as unknown[]).length, 1);
    const said = notes.join("\n");
    for (const part of ["a HEIC image", "a/0.png (a) = b/0.png (b)", "no image has rare"]) {
      assertStringIncludes(said, part);
    }
  }));

Deno.test("inspectPath tells which of a kit's successors still lie there, absolute and by id", () =>
  inTemporaryFolder(async (folder) => {
    const [kit, out] = [join(folder, "kit"), join(folder, "out")];
    await copyFolder(at("4832d1b/kit"), kit);
    await copyFolder(at("4832d1b/unlearned/kit"), join(out, "kit"));
    const [{ id }, next] = [await readManifest(kit), await readManifest(join(out, "kit"))];
    const use = await beginUse({ kit, id, out });
    await use.made(next.id);
    use.done();
    const used = async () => Object.fromEntries((await inspectPath(kit)).rows).used;
    const told = (state: string) =>
      `by 1 request: ${out}/kit (${state}, id ${next.id.slice(0, 16)}..)`;
    assertEquals(await used(), told("there"));
    await Deno.rename(join(out, "kit"), join(folder, "moved"));
    assertEquals(await used(), told("no longer there"));
    await copyFolder(kit, join(out, "kit"));
    assertEquals(await used(), told("another kit lies there"));
  }));

Deno.test("inspectPath takes a folder of images alone for requests, and a person's two photographs for one person's", () =>
  inTemporaryFolder(async (folder) => {
    const image = encodePng({ width: 8, height: 8, rgb: new Uint8Array(192) });
    await writeFiles(folder, {
      "4711.png": image,
      "4711.2.png": image,
      "8.2.png": image,
      ".DS_Store": "",
    });
    const { kind, value } = await inspectPath(folder);
    assertEquals([kind, value.photographs, value.people], ["requests", 3, 2]);
  }));

Deno.test("inspectPath refuses what is nothing of Lethe's, and tells what is wrong with what is", () =>
  inTemporaryFolder(async (folder) => {
    const refuses = (path: string, message: string) =>
      assertRejects(() => inspectPath(path), LetheError, message);
    await refuses(join(folder, "none"), "does not exist");
    await writeFiles(folder, { "notes.txt": "x", "a.json": "{}", "b.json": "no" });
    await refuses(folder, "is nothing of Lethe's: it holds a.json");
    await refuses(join(folder, "a.json"), "neither a split nor a receipt");
    await refuses(join(folder, "b.json"), "is not JSON");
    await refuses(join(folder, "notes.txt"), "is a file");
    await writeFiles(folder, { "list_attr_celeba.txt": "x", "img_align_celeba/1.jpg": "x" });
    await refuses(folder, "holds no identity_CelebA.txt");
  }));

Deno.test("inspect takes its path as a bare word, and prints one screen or JSON", async () => {
  const run = async (...args: string[]) => {
    const [printed, noted]: string[][] = [[], []];
    const code = await execute(
      inspect,
      args,
      {
        print: (line: string) => void printed.push(line),
        note: (line: string) => void noted.push(line),
        progress: () => {},
      } as unknown as Parameters<typeof execute>[2],
    );
    return { code, printed, noted };
  };
  const { code, printed } = await run(at("4832d1b/kit"));
  assertEquals(code, 0);
  assertEquals(printed.length < 24, true);
  assertStringIncludes(printed.join("\n"), "generation");
  const json = await run(at("4832d1b/split.json"), "--json");
  assertEquals(JSON.parse(json.printed.join("")).kind, "split");
  assertEquals((await run()).code, 2);
});

Deno.test("inspectPath tells packs, signed receipts of models, uses, ledgers, keys and pages apart, and shows no secret", () =>
  inTemporaryFolder(async (folder) => {
    const file = (name: string) => join(folder, name);
    const out = at("4832d1b/unlearned");
    const secret = newIdentityKey();
    await writeIdentityKey(file("kit.identity-key"), secret);
    await newSigningKey(file("signer"));
    const key = await readSigningKey(file("signer"));
    await writePack(join(out, "receipt.json"), file("run.tar"));
    await copyFolder(at("4832d1b/kit"), file("kit"));
    await writeMakingReceipt("meta-learn", file("kit"), null, at("4832d1b/split.json"), {}, key);
    const receipt = await readReceipt(join(out, "receipt.json"));
    await writeFiles(folder, {
      "4711.html": confirmationPage(receipt, "a".repeat(64), [receipt.requests[0].sha256]),
    });
    const person = "b".repeat(64);
    const blank = { due: null, reason: null, receipt: null, generation: null };
    const time = "2026-01-02T03:04:05.678Z";
    await appendLedger(file("requests"), [{ ...blank, event: "received", person, time }]);
    const use = await beginUse({
      kit: file("kit"),
      id: (await readManifest(file("kit"))).id,
      out: file("next"),
    });
    await use.made("c".repeat(64));
    use.done();
    const pem = await Deno.readTextFile(file("signer"));
    for (
      const [path, kind, says] of [
        [file("run.tar"), "pack", "receipt.json"],
        [file("kit.receipt.json"), "receipt of a model or kit", "a kit that meta-learn made"],
        [file("kit.successor.json"), "uses of a kit", file("next")],
        [at("4832d1b/kit.successor.json"), "uses of a kit", "unlearned/kit"],
        [file("requests"), "ledger", "open"],
        [file("requests/ledger.jsonl"), "ledger", "open"],
        [file("signer.pub"), "public key", key.publicKey],
        [file("signer"), "signing key", "secret"],
        [file("kit.identity-key"), "identity key", keyFingerprint(secret)],
        [file("4711.html"), "page", "confirmation"],
        [join(out, "receipt.html"), "page", "receipt.json"],
      ] as const
    ) {
      const found = await inspectPath(path);
      assertEquals([found.kind, found.value.kind], [kind, kind], path);
      const text = JSON.stringify(found);
      assertStringIncludes(text, says);
      for (const hidden of [secret, pem.split("\n")[1]]) assertEquals(text.includes(hidden), false);
    }
    // An altered one is refused, not told.
    const text = await Deno.readTextFile(file("kit.receipt.json"));
    await Deno.writeTextFile(file("kit.receipt.json"), text.replace(/"ended": "2/, '"ended": "3'));
    await assertRejects(() => inspectPath(file("kit.receipt.json")), LetheError, "signer signed");
    await Deno.writeTextFile(file("other.tar"), "x");
    await assertRejects(() => inspectPath(file("other.tar")), LetheError, "a pack holds");
  }));

Deno.test("inspectPath tells of a benchmark's folder which stages are made, begun, claimed and not made", () =>
  inTemporaryFolder(async (folder) => {
    const stages = planGrid(TINY_GRID, await Deno.realPath(folder), "a card").stages
      .map(({ out }) => basename(out));
    const [draw, split, begun, claimed] = stages;
    const cells = [{}, {}];
    await writeFiles(folder, {
      [`stages/${draw}/x`]: "",
      [`stages/${split}/x`]: "",
      [`stages/${begun}.training`]: "",
      [`claims/${claimed}.0`]: JSON.stringify({ adapter: "a card", host: "n1" }),
      "lock": "",
      "results.json": JSON.stringify({ settings: TINY_GRID, device: "a card", planned: 6, cells }),
    });
    const { kind, rows, notes, value } = await inspectPath(folder);
    const facts = Object.fromEntries(rows);
    assertEquals(kind, "benchmark grid");
    assertEquals(facts["stages made"], "2: draw 1, split 1");
    assertEquals([facts.begun, facts.claimed], [begun, `${claimed} by n1 (a card)`]);
    assertEquals(facts["a process works here"], "no");
    assertStringIncludes(facts["results.json"], "tiny: 2 of 6 cells measured, not made: train ");
    assertStringIncludes(notes.join(), "goes on with what is not made");
    const [{ missing }] = value.results as { missing: string[] }[];
    assertEquals(missing, stages.slice(2));
    {
      using lock = await Deno.open(join(folder, "lock"), { write: true });
      await lock.lock(true);
      assertEquals(
        Object.fromEntries((await inspectPath(folder)).rows)["a process works here"],
        "yes",
      );
    }
    await Deno.remove(join(folder, "results.json"));
    assertStringIncludes((await inspectPath(folder)).notes.join(), "no cell is measured yet");
  }));

Deno.test("inspectPath says of a model that was trained without the people to forget that it was", () =>
  inTemporaryFolder(async (folder) => {
    const model = join(folder, "model");
    await copyFolder(at("4832d1b", "unlearned", "model"), model);
    for (const withoutForget of [true, false]) {
      const history = { withoutForget, history: [{ metric: 0.5 }] };
      await Deno.writeTextFile(join(model, "history.json"), JSON.stringify(history));
      const { rows } = await inspectPath(model);
      const training = rows.find(([name]) => name === "training")?.[1];
      const oracle = withoutForget ? ", without the people to forget" : "";
      assertEquals(training, `1 epochs, best validation 50.0${oracle}`);
    }
  }));
