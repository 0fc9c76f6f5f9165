import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { digestFile } from "../../../lib/audit/record/digest_files.ts";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import { encodeReceipt, readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { receiptBundle, sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { receiptPage } from "../../../lib/audit/receipt/receipt_page.ts";
import { newSigningKey, readSigningKey } from "../../../lib/audit/receipt/signing_key.ts";
import { type VerifyOptions, verifyReceipt } from "../../../lib/audit/verify/verify_receipt.ts";
import { execute } from "../../../cli/command/command.ts";
import { LetheError } from "../../../lib/error.ts";
import { audit } from "../../../tasks/audit.ts";
import { recordedTerminal } from "../../cli/recorded_terminal.ts";
import { hash } from "../small_receipt.ts";
import { onReceipt, reseal } from "../small_run.ts";

/** Each check's state by its name, and the details of those that failed. */
async function verify(folder: string, more: Partial<VerifyOptions> = {}) {
  const receipt = join(folder, "unlearned/receipt.json");
  const { checks } = await verifyReceipt({ receipt, ...more });
  const named = (state: string) =>
    checks.filter((check) => check.state === state).map(({ layer }) => layer);
  const details = Object.fromEntries(checks.map(({ layer, detail }) => [layer, detail]));
  return { held: named("held"), failed: named("failed"), absent: named("absent"), details };
}

const ALWAYS = "signature,layers,outputs,weights,change,summary,next kit,evidence,page,bundle";

Deno.test("verifyReceipt holds for an intact receipt with all that it speaks of", () =>
  onReceipt(async (folder, publicKey) => {
    const inputs = { kit: join(folder, "kit"), support: join(folder, "requests") };
    const { held, failed, absent } = await verify(folder, { publicKey, ...inputs });
    assertEquals([failed, absent], [[], ["nonce", "copies"]]);
    assertEquals(held, [...ALWAYS.split(","), "kit", "requests"]);
  }));

Deno.test("verifyReceipt needs neither kit, photographs, key nor training data, and says what it lacks", () =>
  onReceipt(async (folder) => {
    for (
      const gone of [
        "kit",
        "kit.identity-key",
        "requests",
        "key",
        "key.pub",
      ]
    ) {
      await Deno.remove(join(folder, gone), { recursive: true });
    }
    const { held, failed, absent, details } = await verify(folder);
    assertEquals([held.join(), failed, absent], [ALWAYS, [], [
      "nonce",
      "kit",
      "requests",
      "copies",
    ]]);
    assertStringIncludes(details.signature, "but who signed is not shown (--key)");
  }));

Deno.test("verifyReceipt tells what its operator has stated or switched off, and holds it for less", () =>
  onReceipt(async (folder, publicKey) => {
    const { settings } = await readReceipt(join(folder, "unlearned/receipt.json"));
    const stated = { allowTrainingPhoto: true, matchCheck: false, branchReason: "none given" };
    await reseal(folder, { settings: { ...settings, ...stated } });
    const { failed, details } = await verify(folder, { publicKey });
    assertEquals(failed, []);
    for (
      const text of ["trained on was read", "not held against", "whom its other requests forgot"]
    ) {
      assertStringIncludes(details.stated, text);
    }
    await reseal(folder, { settings });
    assertEquals("stated" in (await verify(folder, { publicKey })).details, false, "the control");
  }));

Deno.test("verifyReceipt takes a receipt by another name, and then none that lies beside it", () =>
  onReceipt(async (folder) => {
    const renamed = join(folder, "unlearned/4711 of May.json");
    await Deno.rename(join(folder, "unlearned/receipt.json"), renamed);
    assertEquals((await verify(folder, { receipt: renamed })).failed, []);
    await Deno.writeTextFile(join(folder, "unlearned/receipt.json"), "anything");
    const { failed, details } = await verify(folder, { receipt: renamed });
    assertEquals(failed, ["outputs"]);
    assertStringIncludes(details.outputs, "receipt.json lies there");
  }));

Deno.test("audit --verify asks for the evidence that was not brought along: wrong usage, no failure", () =>
  onReceipt(async (folder) => {
    const receipt = join(folder, "unlearned/receipt.json");
    await Deno.remove(join(folder, "unlearned/evidence"), { recursive: true });
    const terminal = recordedTerminal();
    const code = await execute(audit, ["--verify", receipt], terminal);
    assertEquals([code, terminal.printed], [2, []]);
    await execute(audit, ["--verify", join(folder, "unlearned/")], terminal);
    assertStringIncludes(terminal.noted.at(-1)!, `did you mean ${receipt}?`);
    assertStringIncludes(terminal.noted.join("\n"), "unlearned/evidence does not exist; ");
  }));

/** Rewrites the receipt, signature and page as they are. */
async function change(folder: string, changes: (receipt: Receipt) => Partial<Receipt>) {
  const path = join(folder, "unlearned/receipt.json");
  const receipt = await readReceipt(path);
  await Deno.writeTextFile(path, encodeReceipt({ ...receipt, ...changes(receipt) }));
}

/** Flips a bit in the middle of a file. */
async function flip(path: string) {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(path, bytes);
}

/** What an attacker does to the run's files, and the checks that must fail. */
const ATTACKS: [string, (folder: string) => Promise<unknown>, string[]][] = [
  ["a weight byte", (f) => flip(join(f, "unlearned/model/model.safetensors")), [
    "outputs",
    "change",
  ]],
  ["the next kit's weights", (f) => flip(join(f, "unlearned/kit/model.safetensors")), ["outputs"]],
  ["a kit file that was read", (f) => flip(join(f, "kit/meta_loss.safetensors")), ["kit"]],
  ["a photograph", (f) => flip(join(f, "requests/Zoë.png")), ["requests"]],
  [
    "the requests' labels",
    (f) => Deno.writeTextFile(join(f, "requests/requests.csv"), "file,identity,hat\n"),
    ["requests"],
  ],
  [
    "no requests.csv",
    (f) => Deno.remove(join(f, "requests/requests.csv")),
    ["requests"],
  ],
  [
    "one photograph more",
    (f) => Deno.writeTextFile(join(f, "requests/Eve.png"), "three"),
    ["requests"],
  ],
  [
    "a file more",
    (f) => Deno.writeTextFile(join(f, "unlearned/model/photo.png"), "x"),
    ["outputs"],
  ],
  ["a file less", (f) => Deno.remove(join(f, "unlearned/summary.json")), ["outputs", "summary"]],
  [
    "a file that is a link to its like",
    async (f) => {
      await Deno.rename(join(f, "unlearned/summary.json"), join(f, "elsewhere"));
      await Deno.symlink(join(f, "elsewhere"), join(f, "unlearned/summary.json"));
    },
    ["outputs", "summary"],
  ],
  ...([
    ["a photograph in the summary", (text) => text.replace("{", '{\n  "photo": "iVBOR",')],
    ["a photograph in the summary's spaces", (text) => `${text} \t \t\t`],
    ["a summary of more people", (text) => text.replace('"people": 2', '"people": 3')],
  ] as [string, (text: string) => string][]).map(([what, edit]): typeof ATTACKS[number] => [
    `${what}, signed by its operator`,
    async (f) => {
      const path = join(f, "unlearned/summary.json");
      await Deno.writeTextFile(path, edit(await Deno.readTextFile(path)));
      const { signer: _, signature: __, ...rest } = await readReceipt(
        join(f, "unlearned/receipt.json"),
      );
      const digest = await digestFile(path);
      const written = rest.written.map((entry) =>
        entry.file === "summary.json" ? { ...entry, ...digest } : entry
      );
      const signed = await sealReceipt({ ...rest, written }, await readSigningKey(join(f, "key")));
      await Deno.writeTextFile(join(f, "unlearned/receipt.json"), encodeReceipt(signed));
      await Deno.writeTextFile(join(f, "unlearned/receipt.html"), receiptPage(signed));
      await Deno.writeTextFile(join(f, "unlearned/receipt.sigstore.json"), receiptBundle(signed)!);
    },
    ["summary"],
  ]),
  ["a byte of a log", (f) => flip(join(f, "unlearned/evidence/trace.log")), ["evidence"]],
  [
    "a line more in a log",
    (f) => Deno.writeTextFile(join(f, "unlearned/evidence/trace.log"), "x\n", { append: true }),
    ["evidence"],
  ],
  [
    "a log, and its hash made to fit",
    async (f) => {
      const path = join(f, "unlearned/evidence/trace.log");
      const text = (await Deno.readTextFile(path)).replace(
        "= -1 ENOENT (No such file or directory)",
        "= 4<{training data}/..>",
      );
      await Deno.writeTextFile(path, text);
      const digest = await digestFile(path);
      await change(f, ({ evidence }) => ({
        evidence: evidence.map((log) => log.file.includes("trace") ? { ...log, ...digest } : log),
      }));
    },
    ["signature", "evidence", "page", "bundle"],
  ],
  [
    "a log less",
    (f) => Deno.remove(join(f, "unlearned/evidence/permissions.log")),
    ["evidence"],
  ],
  ["the nonce", (f) => change(f, () => ({ nonce: hash("9") })), ["signature", "page", "bundle"]],
  [
    "the signature",
    (f) => change(f, ({ signature }) => ({ signature: [...signature!].reverse().join("") })),
    ["signature", "bundle"],
  ],
  ["no signature", (f) => change(f, () => ({ signer: null, signature: null })), [
    "signature",
    "page",
    "bundle",
  ]],
  [
    "a layer's state",
    (f) => change(f, ({ layers }) => ({ layers: layers.map((l) => ({ ...l, state: "held" })) })),
    ["signature", "layers", "page", "bundle"],
  ],
  [
    "the weights' hashes",
    (f) => change(f, ({ weights }) => ({ weights: { ...weights, after: hash("9") } })),
    ["signature", "weights", "summary", "page", "bundle"],
  ],
  [
    "another kit's hash",
    (f) => change(f, ({ kit }) => ({ kit: kit.map((k) => ({ ...k, sha256: hash("9") })) })),
    ["signature", "weights", "page", "bundle", "kit"],
  ],
  [
    "the page",
    async (f) => {
      const path = join(f, "unlearned/receipt.html");
      const page = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, page.replace("2 people", "3 people"));
    },
    ["page"],
  ],
  [
    "another signer, and all made to fit",
    async (f) => {
      await newSigningKey(join(f, "other"));
      const path = join(f, "unlearned/receipt.json");
      const { signer: _, signature: __, ...rest } = await readReceipt(path);
      const forged = await sealReceipt(
        { ...rest, adapter: "another" },
        await readSigningKey(join(f, "other")),
      );
      await Deno.writeTextFile(path, encodeReceipt(forged));
      await Deno.writeTextFile(join(f, "unlearned/receipt.html"), receiptPage(forged));
    },
    ["signature", "summary", "bundle"],
  ],
];
for (const [what, attack, checks] of ATTACKS) {
  Deno.test(`verifyReceipt finds a change of ${what}, and nothing before it`, () =>
    onReceipt(async (folder, publicKey) => {
      const inputs = {
        publicKey,
        kit: join(folder, "kit"),
        support: join(folder, "requests"),
      };
      assertEquals((await verify(folder, inputs)).failed, [], "the control");
      await attack(folder);
      const { failed } = await verify(folder, inputs);
      assertEquals(failed.toSorted(), checks.toSorted());
    }));
}

Deno.test("verifyReceipt passes over what systems leave among the photographs", () =>
  onReceipt(async (folder) => {
    await Deno.mkdir(join(folder, "requests/__MACOSX"));
    for (const name of ["__MACOSX/._one.png", "Thumbs.db", ".DS_Store"]) {
      await Deno.writeTextFile(join(folder, "requests", name), "x");
    }
    const { held } = await verify(folder, { support: join(folder, "requests") });
    assert(held.includes("requests"));
  }));

Deno.test("verifyReceipt knows the photographs without the key, and says that it cannot know requests.csv", () =>
  onReceipt(async (folder) => {
    await Deno.remove(join(folder, "kit.identity-key"));
    const inputs = { kit: join(folder, "kit"), support: join(folder, "requests") };
    const { held, details } = await verify(folder, inputs);
    assertEquals(held.includes("requests"), true);
    assertStringIncludes(details.requests, "requests.csv unknown without --identity-key");
  }));

Deno.test("verifyReceipt fails for a run in which a layer failed, whoever signed it", () =>
  onReceipt(async (folder, publicKey) => {
    const path = join(folder, "unlearned/receipt.json");
    const { signer: _, signature: __, ...rest } = await readReceipt(path);
    const layers = [{ layer: "system calls", state: "failed", detail: "opened it" }] as const;
    const signed = await sealReceipt(
      { ...rest, layers },
      await readSigningKey(join(folder, "key")),
    );
    await Deno.writeTextFile(path, encodeReceipt(signed));
    await Deno.writeTextFile(join(folder, "unlearned/receipt.html"), receiptPage(signed));
    const { failed, details } = await verify(folder, { publicKey });
    assertEquals(failed, ["layers", "bundle"]);
    assertStringIncludes(details.layers, "in the run: system calls; absent: inputs, ");
  }));

Deno.test("verifyReceipt takes an unsigned receipt for unsigned, not for intact", () =>
  onReceipt(async (folder, publicKey) => {
    const { absent, failed } = await verify(folder);
    assertEquals([absent, failed], [
      ["signature", "bundle", "nonce", "kit", "requests", "copies"],
      [],
    ]);
    assertEquals((await verify(folder, { publicKey })).failed, ["signature"]);
  }, { signed: false }));

Deno.test("verifyReceipt throws on a receipt that is missing or malformed", () =>
  onReceipt(async (folder) => {
    const receipt = join(folder, "unlearned/receipt.json");
    await Deno.writeTextFile(receipt, "{}");
    await assertRejects(() => verifyReceipt({ receipt }), LetheError, "version is missing");
    await Deno.remove(receipt);
    await assertRejects(() => verifyReceipt({ receipt }), LetheError, "does not exist");
  }));
