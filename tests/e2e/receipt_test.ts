import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { execute } from "../../cli/command.ts";
import { digestFiles } from "../../lib/audit/record/digest_files.ts";
import type { Receipt } from "../../lib/audit/receipt/receipt.ts";
import {
  encodeReceipt,
  readReceipt,
  receiptBundle,
  sealReceipt,
} from "../../lib/audit/receipt/receipt_file.ts";
import { receiptPage } from "../../lib/audit/receipt/receipt_page.ts";
import { readSigningKey } from "../../lib/audit/receipt/signing_key.ts";
import { readKit, writeKit } from "../../lib/model/kit/kit.ts";
import { audit } from "../../tasks/audit.ts";
import { hash } from "../audit/small_receipt.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";
import { json, photos, pick } from "./kit_folder.ts";
import { done, runTask, taskLine } from "./run_task.ts";
import { copy, inCopy, smallPath, tree } from "./small_path.ts";

// Ready at once; what is computed is not the point here.
const DEVICE = ["--device", "wasm"];
const PROJECT = fromFileUrl(new URL("../../", import.meta.url));
const WATCHED = [
  "--training-data",
  "portraits",
  "--split",
  "split.json",
  "--signing-key",
  "signer",
];
const AUDIT = ["--support", "requests", "--kit", "kit", "--out", "audited", ...WATCHED, ...DEVICE];
const VERIFY = ["--verify", "audited/receipt.json", "--key", "signer.pub"];

let place: string | undefined;
let made: Promise<string> | undefined;
globalThis.addEventListener("unload", () => {
  if (place !== undefined) Deno.removeSync(place, { recursive: true });
});

/** The small path with an audited run: `audited/`, what was `said`, and its signer's key pair. */
function auditedPath(): Promise<string> {
  return made ??= (async () => {
    place = await Deno.makeTempDir({ prefix: "lethe-e2e-" });
    const folder = join(place, "Jané Doe's home", "work"); // a path that names its user
    await copy(await smallPath(), folder);
    await done("audit", ["--new-key", "signer"], folder);
    await Deno.writeTextFile(join(folder, "said"), await done("audit", AUDIT, folder));
    return folder;
  })();
}

/** Runs a body in a copy of it. */
async function inAudited(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "lethe-e2e-" });
  try {
    await copy(await auditedPath(), folder);
    await Deno.chmod(join(folder, "signer"), 0o600);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `audit` in this process, which spares its start; its arguments' paths are below the folder. */
async function audits(folder: string, args: readonly string[]) {
  const terminal = recordedTerminal();
  const here = args.map((arg) =>
    /^-|^(?:wasm|webgpu|deno|trial)$/.test(arg) ? arg : join(folder, arg)
  );
  const code = await execute(audit, here, terminal);
  return { code, ...states(terminal.printed.join("\n")), noted: terminal.noted.join("\n") };
}

/** The layers of what `audit` printed, by their state. */
function states(said: string) {
  const lines = said.split("\n");
  const of = (state: string) =>
    lines.filter((line) => line.startsWith(`${state.padEnd(7)} `))
      .map((line) => line.slice(8).split(/ {2}/, 1)[0]);
  return { held: of("held"), failed: of("failed"), absent: of("absent"), said };
}

/** Whether a program is installed. */
const has = async (program: string) =>
  (await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output()).success;

Deno.test("audit watches a run: every layer holds that this system has, and the receipt is signed", () =>
  inAudited(async (folder) => {
    const said = await Deno.readTextFile(join(folder, "said"));
    const { held, failed, absent } = states(said);
    assertEquals(failed, []);
    for (const layer of ["inputs", "module graph", "permissions", "copies"]) {
      assert(held.includes(layer), layer);
    }
    if (await has("bwrap") && await has("strace")) assertEquals(absent, []);
    assertMatch(said, /audited\/receipt\.json is signed with [0-9a-f]{16}\.\.\n$/);
    const verified = await audits(folder, [...VERIFY, "--kit", "kit", "--support", "requests"]);
    assertEquals([verified.code, verified.failed], [0, []], verified.said);
    assert(verified.held.includes("evidence"));
  }));

Deno.test("audit's receipt, page and evidence name nobody and no place of this machine", () =>
  inAudited(async (folder) => {
    const names = (await photos(folder)).map((name) => name.replace(".png", ""));
    const files = ["receipt.json", "receipt.html", "evidence/permissions.log"];
    for (const file of [...files, "evidence/trace.log"]) {
      const text = await Deno.readTextFile(join(folder, "audited", file)).catch(() => "");
      for (const name of names) assert(!text.includes(`${name}.png`), `${file} names ${name}.png`);
      for (const part of [place!, "Jan", "Doe"]) assert(!text.includes(part), `${file}: ${part}`);
      assert(!/portraits|img_align_celeba/.test(text), `${file} names the training folder`);
    }
  }));

/** Changes a text file; the change must be one. */
async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = change(text);
  if (changed === text) throw new Error(`${path} is as it was`);
  await Deno.writeTextFile(path, changed);
}

/** Adds one to the last byte of a file. */
async function turn(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 1]++;
  await Deno.writeFile(path, bytes);
}

/** Changes what the receipt says; page and signature stay. */
// deno-lint-ignore no-explicit-any -- any field, as an attacker would
async function restate(folder: string, change: (receipt: any) => unknown): Promise<void> {
  const path = join(folder, "audited/receipt.json");
  const receipt = await json(path);
  change(receipt);
  await Deno.writeTextFile(path, JSON.stringify(receipt));
}

/** What is changed behind the signer's back, and the checks that must find it. */
const CHANGES: [string, (folder: string) => Promise<void>, string[]][] = [
  ["a weight byte", (f) => turn(join(f, "audited/model/model.safetensors")), ["outputs"]],
  ["a file of the next kit", (f) => turn(join(f, "audited/kit/meta_loss.safetensors")), [
    "outputs",
  ]],
  ["a file of the kit", (f) => turn(join(f, "kit/model.safetensors")), ["kit"]],
  [
    "a line of the permission log",
    (f) =>
      rewrite(join(f, "audited/evidence/permissions.log"), (text) => text.replace(/^.*\n/, "")),
    ["evidence"],
  ],
  [
    "the nonce",
    (f) => restate(f, (receipt) => receipt.nonce = hash("0")),
    ["signature", "page", "bundle"],
  ],
  [
    "the adapter",
    (f) => restate(f, (receipt) => receipt.adapter = "another"),
    ["signature", "page", "bundle"],
  ],
  [
    "a layer that is taken out",
    (f) => restate(f, (receipt) => receipt.layers.pop()),
    ["signature", "page", "bundle"],
  ],
  [
    "the signature",
    (f) => restate(f, (receipt) => receipt.signature = [...receipt.signature].reverse().join("")),
    ["signature", "bundle"],
  ],
  [
    "another key",
    async (f) => {
      for (const half of ["signer", "signer.pub"]) await Deno.remove(join(f, half));
      await done("audit", ["--new-key", "signer"], f);
    },
    ["signature"],
  ],
];
let control: Promise<void> | undefined;
/** Before any change, nothing fails. */
function intact(): Promise<void> {
  return control ??= inAudited(async (folder) => {
    const { code, failed, said } = await audits(folder, [...VERIFY, "--kit", "kit"]);
    assertEquals([code, failed], [0, []], said);
  });
}

for (const [what, change, checks] of CHANGES) {
  Deno.test(`audit --verify exits 0, and 3 after a change: ${what}`, () =>
    inAudited(async (folder) => {
      await intact();
      await change(folder);
      const found = await audits(folder, [...VERIFY, "--kit", "kit"]);
      assertEquals([found.code, found.failed], [3, checks], found.said);
    }));
}

Deno.test("audit refuses a training photograph unless its operator states it, with the split and without it", () =>
  inCopy(async (folder) => {
    const [photo] = await photos(folder);
    const { identities, hashes } = await json(folder, "split.json");
    assert(identities.forget.includes(photo.replace(".png", "")));
    const csv = (await Deno.readTextFile(join(folder, "portraits/identity_CelebA.txt"))).split(
      "\n",
    );
    const requested = await Deno.readFile(join(folder, "requests", photo));
    // Another picture of the same person, on which the model was trained.
    const own = csv.map((line) => line.split(" "))
      .filter(([, identity]) => identity === photo.replace(".png", ""))
      .map(([file]) => `img_align_celeba/${file}`);
    assert(own.every((file) => Object.hasOwn(hashes, file)));
    const pictures = await Promise.all(
      own.map((file) => Deno.readFile(join(folder, "portraits", file))),
    );
    const trained = pictures.find((bytes) => bytes.join() !== requested.join())!;
    await pick(folder, [photo], "one");

    const run = ["--support", "one", "--kit", "kit", "--branch", "--reason", "trial", ...DEVICE];
    const control = await audits(folder, [...run, "--split", "split.json", "--out", "a"]);
    assertEquals([control.code, control.held.includes("copies")], [0, true], control.said);
    await Deno.writeFile(join(folder, "one", photo), trained);
    for (const [out, more] of [["b", ["--split", "split.json"]], ["c", []]] as const) {
      const before = await tree(folder);
      const refused = await audits(folder, [...run, ...more, "--out", out]);
      assertEquals(refused.code, 1, refused.said);
      assertMatch(
        refused.noted,
        /the model was trained on this photograph; .*--allow-training-photo/,
      );
      assertEquals(await tree(folder), before, "before anything is computed or marked");
      const stated = [...run, ...more, "--allow-training-photo", "--out", out];
      const { code, failed, absent, said } = await audits(folder, stated);
      assertEquals([code, failed, absent.includes("copies")], [0, [], true], said);
      assertMatch(said, /absent +copies +declared by the operator: 1 of 1 requests/);
      const verified = await audits(folder, ["--verify", `${out}/receipt.json`, ...more]);
      assertEquals([verified.code, verified.failed], [0, []], verified.said);
      const { settings } = await json(folder, `${out}/receipt.json`);
      assertEquals([settings.allowTrainingPhoto, settings.branchReason], [true, "trial"]);
    }
  }));

Deno.test("audit --verify holds in a second copy of Lethe without data, kit or photographs", () =>
  inAudited(async (folder) => {
    const clone = join(folder, "clone");
    for (const part of ["cli", "lib", "tasks", "mod.ts", "deno.json", "deno.lock"]) {
      await copy(join(PROJECT, part), join(clone, part));
    }
    await Deno.rename(join(folder, "audited"), join(folder, "received"));
    const gone = ["portraits", "kit", "requests", "model", "signer"];
    for (const part of gone) await Deno.remove(join(folder, part), { recursive: true });
    const { flags, script, first } = taskLine("audit");
    const verify = async () => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...flags,
          script,
          ...first,
          "--verify",
          join(folder, "received/receipt.json"),
          "--key",
          "../signer.pub",
        ],
        cwd: clone,
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, ...states(text(stdout)), err: text(stderr) };
    };
    const intact = await verify();
    assertEquals([intact.code, intact.failed], [0, []], intact.said + intact.err);
    assertEquals(intact.absent, ["nonce", "kit", "requests", "copies", "tarballs"]);

    await rewrite(join(clone, "lib/error.ts"), (text) => `${text}// changed\n`);
    const changed = await verify();
    assertEquals([changed.code, changed.failed], [3, ["code", "library"]], changed.said);

    await rewrite(join(clone, "lib/error.ts"), (text) => text.replace("// changed\n", ""));
    await Deno.writeTextFile(join(clone, "lib/more.ts"), "");
    const more = await verify();
    assertEquals([more.code, more.failed], [3, ["library"]], more.said);
  }));

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
    await copy(join(await auditedPath(), "audited/kit"), at("kit"));
    await Deno.writeTextFile(
      at("summary.json"),
      text.replace(`"${name}": ${change!.norms[name]}`, `"${name}": ${told.norms[name]}`),
    );
    await reseal({ change: told });
    const misstated = await audits(folder, again);
    assertEquals([misstated.code, misstated.failed], [3, ["rerun"]], misstated.said);
    assertStringIncludes(misstated.said, "summary.json has another change");
  }));

Deno.test("unlearn without a signing key leaves a receipt that says nobody signed it", () =>
  inCopy(async (folder) => {
    const run = ["--support", "requests", "--kit", "kit", ...DEVICE];
    const said = await done("unlearn", run, folder);
    assertStringIncludes(said, "unlearned/receipt.json is unsigned: there is no --signing-key");
    const { code, absent, failed } = await audits(folder, ["--verify", "unlearned/receipt.json"]);
    assertEquals([code, failed], [0, []]);
    assertEquals(absent, [
      ...["signature", "evidence", "bundle", "nonce", "kit", "requests", "copies"],
      "tarballs",
    ]);

    // With a key where `unlearn` looks for one it is signed.
    await done("audit", ["--new-key", "lethe.signing-key"], folder);
    const next = [
      "--support",
      "requests",
      "--kit",
      "kit",
      "--branch",
      "--reason",
      "another",
      "--out",
      "signed",
      ...DEVICE,
    ];
    assertStringIncludes(await done("unlearn", next, folder), "receipt.json is signed with ");
    const key = ["--key", "lethe.signing-key.pub"];
    const verified = await audits(folder, ["--verify", "signed/receipt.json", ...key]);
    assertEquals([verified.code, verified.held.includes("signature")], [0, true], verified.said);
  }));

Deno.test("audit asks for what it needs in one line", () =>
  inCopy(async (folder) => {
    for (const args of [[], ["--verify", "r", "--rerun"]]) {
      const { code, err } = await runTask("audit", args, folder);
      assertEquals(code, 2);
      assertMatch(err, /^lethe: (audit|--rerun) without --support; [^\n]+\n$/);
    }
    await Deno.writeTextFile(join(folder, "key"), "");
    const { code, err } = await runTask("audit", ["--new-key", "key"], folder);
    assertEquals(code, 1);
    assertMatch(err, /^lethe: key exists; [^\n]+\n$/);
  }));
