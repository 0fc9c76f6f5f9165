import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { runs } from "../../machine.ts";
import { json, photos, pick, WASM } from "../kit_folder.ts";
import { runHere } from "../run_here.ts";
import { done, taskLine } from "../run_task.ts";
import { copy, inCopy, tree } from "../small_path.ts";
import { audits, inAudited, PROJECT, rewrite, states, VERIFY } from "./audited_path.ts";

/** Whether a program is installed. */
const has = (program: string) => runs("sh", "-c", `command -v ${program}`);

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
    const place = await Deno.readTextFile(join(folder, "place"));
    const files = ["receipt.json", "receipt.html", "evidence/permissions.log"];
    for (const file of [...files, "evidence/trace.log"]) {
      const text = await Deno.readTextFile(join(folder, "audited", file)).catch(() => "");
      for (const name of names) assert(!text.includes(`${name}.png`), `${file} names ${name}.png`);
      for (const part of [place, "Jan", "Doe"]) assert(!text.includes(part), `${file}: ${part}`);
      assert(!/portraits|img_align_celeba/.test(text), `${file} names the training folder`);
    }
  }));

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

    const run = ["--support", "one", "--kit", "kit", "--branch", "--reason", "trial", ...WASM];
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
      assertMatch(verified.said, /absent +copies .*declare/, "with the split and without");
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
    await rewrite(join(clone, "deno.json"), (text) => `${text}\n`);
    const configured = await verify();
    assertEquals([configured.code, configured.failed], [3, ["code"]], configured.said);

    await rewrite(join(clone, "deno.json"), (text) => text.slice(0, -1));
    await Deno.writeTextFile(join(clone, "lib/more.ts"), "");
    const more = await verify();
    assertEquals([more.code, more.failed], [3, ["library"]], more.said);
  }));

Deno.test("unlearn without a signing key leaves a receipt that says nobody signed it", () =>
  // In a process of its own: outputs and keys are looked for where that stands.
  inCopy(async (folder) => {
    const run = ["--support", "requests", "--kit", "kit", ...WASM];
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
      ...WASM,
    ];
    assertStringIncludes(await done("unlearn", next, folder), "receipt.json is signed with ");
    const key = ["--key", "lethe.signing-key.pub"];
    const verified = await audits(folder, ["--verify", "signed/receipt.json", ...key]);
    assertEquals([verified.code, verified.held.includes("signature")], [0, true], verified.said);
  }));

Deno.test("audit asks for what it needs in one line", () =>
  inCopy(async (folder) => {
    await Deno.writeTextFile(join(folder, "r"), "{}");
    for (const args of [[], ["--verify", "r", "--rerun"]]) {
      const { code, err } = await runHere("audit", args, folder);
      assertEquals(code, 2);
      assertMatch(err, /^lethe: (audit|--rerun) without --support; [^\n]+\n$/);
    }
    await Deno.writeTextFile(join(folder, "key"), "");
    const { code, err } = await runHere("audit", ["--new-key", "key"], folder);
    assertEquals(code, 1);
    assertMatch(err, /^lethe: key exists; [^\n]+\n$/);
  }));
