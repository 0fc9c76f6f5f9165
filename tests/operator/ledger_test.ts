import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { execute } from "../../cli/command/command.ts";
import { lateRequests, ledgerPath, ledgerStates, readLedger } from "../../lib/run/ledger.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import {
  identityHash,
  newIdentityKey,
  writeIdentityKey,
} from "../../lib/model/kit/identity_key.ts";
import { encodeManifest } from "../../lib/model/kit/kit_manifest.ts";
import { readManifest } from "../../lib/model/kit/stored_manifest.ts";
import { ledger } from "../../tasks/ledger.ts";
import { encodeReceipt, readReceipt } from "../../lib/audit/receipt/receipt_file.ts";
import { sealReceipt } from "../../lib/audit/receipt/seal.ts";
import { hash, smallReceipt } from "../audit/small_receipt.ts";
import { recordedTerminal } from "../cli/recorded_terminal.ts";
import { readRequestRows, requestPeople } from "../../lib/data/requests/request_rows.ts";
import { copyFolder } from "../../lib/files/copy_folder.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const UNSIGNED = (receipt: string) =>
  `${receipt} is unsigned: whoever held it may have changed it; noted as done by it all the same`;

Deno.test("ledger keeps who asked by keyed hash, what became of it, and what is late", () =>
  inTemporaryFolder(async (folder) => {
    const key = join(folder, "kit.identity-key");
    await writeIdentityKey(key, newIdentityKey());
    const receipt = join(folder, "receipt.json");
    await Deno.writeTextFile(receipt, encodeReceipt(await sealReceipt(smallReceipt(), null)));
    const dir = join(folder, "requests");
    const run = async (...args: string[]) => {
      const terminal = recordedTerminal();
      const code = await execute(ledger, ["--dir", dir, ...args], terminal);
      return { code, out: terminal.printed.join("\n"), err: terminal.noted.join("\n") };
    };
    const named = ["--identity-key", key];
    for (const looks of [[], ["--due"]]) {
      const { code, err } = await run(...looks);
      assertEquals([code, err.includes("ledger.jsonl does not exist")], [2, true], err);
    }
    assertEquals((await run("--received", "Jane,Joe,Jim", "--days", "0", ...named)).code, 0);
    assertEquals((await run("--done", "Jane", "--receipt", receipt, ...named)).code, 0);
    assertEquals((await run("--refused", "Joe", "--reason", "not in training", ...named)).code, 0);

    const text = await Deno.readTextFile(ledgerPath(dir));
    for (const name of ["Jane", "Joe", "Jim"]) assert(!text.includes(name), "it names nobody");
    const states = ledgerStates(await readLedger(dir));
    assertEquals(states.map(({ last }) => last.event), ["done", "refused", "received"]);
    assertEquals(states[1].last.reason, "not in training");
    assertEquals(states[0].last.receipt?.length, 64);
    assertEquals(lateRequests(states, "9999-01-01T00:00:00.000Z"), [states[2]]);
    assertEquals(lateRequests(states, "2000-01-01T00:00:00.000Z"), []);
    assertStringIncludes((await run()).out, "3 in all");

    for (
      const [args, code, says] of [
        [["--done", "Jane", "--receipt", receipt, ...named], 1, "no request of"],
        [["--received", "Jim", ...named], 1, "is open already"],
        [["--done", "Jim", ...named], 2, "--done without --receipt"],
        [["--received", "Ann"], 2, "--received without --identity-key"],
      ] as const
    ) {
      const ended = await run(...args);
      assertEquals([ended.code, ended.err.includes(says)], [code, true], ended.err);
    }
    assertEquals(await Deno.readTextFile(ledgerPath(dir)), text, "what is refused leaves no line");

    // Another key's hashes would make one person two; lines of before keys were noted go with any.
    const other = join(folder, "other.identity-key");
    await writeIdentityKey(other, newIdentityKey());
    const strange = await run("--received", "Ann", "--identity-key", other);
    assertEquals([strange.code, strange.err.includes("is kept under the identity key")], [1, true]);
    const [first] = text.split("\n");
    await Deno.writeTextFile(ledgerPath(dir), first.replace(/,"key":"[0-9a-f]{16}"/, "") + "\n");
    assertEquals((await run("--received", "Ann", "--identity-key", other)).code, 0);
    await Deno.writeTextFile(ledgerPath(dir), text);

    // A line that is taken out or changed is found.
    const lines = text.trimEnd().split("\n");
    for (
      const broken of [
        lines.toSpliced(1, 1),
        lines.with(0, lines[0].replace("received", "refused")),
      ]
    ) {
      await Deno.writeTextFile(ledgerPath(dir), broken.join("\n") + "\n");
      const ended = await run();
      assertEquals([ended.code, ended.err.includes("does not follow")], [1, true], ended.err);
    }
  }));

Deno.test("ledger tells of a kit that went on twice, also where its copies lie apart, and whom each branch forgot", () =>
  inTemporaryFolder(async (folder) => {
    const key = join(folder, "kit.identity-key");
    await writeIdentityKey(key, newIdentityKey());
    const run = async (...args: string[]) => {
      const terminal = recordedTerminal();
      const dir = join(folder, "requests");
      const code = await execute(ledger, ["--dir", dir, ...args, "--identity-key", key], terminal);
      return { code, out: terminal.printed.join("\n") };
    };
    await run("--received", "Jane,Joe,Jim");
    const done = async (who: string, before: string, after: string) => {
      const kitId = { before: hash(before), after: hash(after) };
      const path = join(folder, `${after}.json`);
      const receipt = await sealReceipt({ ...smallReceipt(), kitId }, null);
      await Deno.writeTextFile(path, encodeReceipt(receipt));
      return await run("--done", who, "--receipt", path);
    };
    assert(!(await done("Jane", "a", "b")).out.includes("went on"));
    assert(!(await done("Joe", "b", "c")).out.includes("went on"), "one after the other");
    const { out } = await done("Jim", "a", "d");
    const states = ledgerStates(await readLedger(join(folder, "requests")));
    const [jane, , jim] = states.map(({ person }) => person.slice(0, 16));
    assertStringIncludes(
      out,
      `kit ${"a".repeat(16)}.. went on 2 times: ${"b".repeat(16)}.. without ${jane}..; ` +
        `${"d".repeat(16)}.. without ${jim}..`,
    );
  }));

Deno.test("ledger closes only by a receipt, as many as its run forgot, and whom the run's kit says", () =>
  inTemporaryFolder(async (folder) => {
    const [out, dir, other] = ["out", "requests", "other.identity-key"].map((n) => join(folder, n));
    const fixture = fromFileUrl(new URL("../../fixtures/4832d1b", import.meta.url));
    await copyFolder(join(fixture, "unlearned"), out);
    const path = join(out, "receipt.json");
    const key = join(fixture, "kit.identity-key");
    await writeIdentityKey(other, newIdentityKey());
    const requests = await readRequestRows(join(fixture, "requests"), null);
    const [served, ...rest] = new Set(
      requestPeople(requests, folder).map(({ identity }) => identity),
    );
    const run = async (...args: string[]) => {
      const terminal = recordedTerminal();
      const code = await execute(ledger, ["--dir", dir, ...args], terminal);
      return { code, err: terminal.noted.join("\n") };
    };
    const named = ["--identity-key", key];
    const many = Array.from({ length: rest.length + 2 }, (_, i) => `n${i}`);
    const open = [served, ...rest, ...many, "777"].join();
    assertEquals((await run("--received", open, ...named)).code, 0);
    const json = join(folder, "a.json");
    await Deno.writeTextFile(json, '{"a":1}');
    for (
      const [args, says] of [
        [["--done", served, "--receipt", json, ...named], "version"],
        [["--done", "777", "--receipt", path, ...named], "never knew them"],
        [["--done", many.join(), "--receipt", path, ...named], `its run forgot ${many.length - 1}`],
        [["--done", served, "--receipt", path, "--identity-key", other], "under this key"],
      ] as const
    ) {
      const ended = await run(...args);
      assertEquals([ended.code, ended.err.includes(says)], [1, true], ended.err);
    }
    const right = await run("--done", [served, ...rest].join(), "--receipt", path, ...named);
    assertEquals([right.code, right.err], [0, ""]);
    const failed = join(out, "failed.json");
    const { signer: _, signature: __, ...receipt } = await readReceipt(path);
    const [first, ...others] = receipt.layers;
    const layers = [{ ...first, state: "failed" as const }, ...others];
    await Deno.writeTextFile(
      failed,
      encodeReceipt(await sealReceipt({ ...receipt, layers }, null)),
    );
    assertEquals((await run("--received", served, ...named)).code, 0);
    const doubtful = await run("--done", served, "--receipt", failed, ...named);
    assertEquals(doubtful.code, 0, doubtful.err);
    assertStringIncludes(doubtful.err, "is unsigned");
    assertStringIncludes(doubtful.err, `whose proof failed: ${first.layer}`);
    // Without the kit people are counted; those who were closed before count.
    await Deno.rename(join(out, "kit"), join(folder, "moved"));
    const more = await run("--done", "777", "--receipt", path, ...named);
    assertEquals([more.code, more.err.includes("its run forgot")], [1, true], more.err);
    // Of what a signer signed no field is changed.
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/"lethe": "[^"]*"/, '"lethe": "9.9.9"'));
    const altered = await run("--done", "777", "--receipt", path, ...named);
    assertEquals([altered.code, altered.err.includes("signer signed")], [1, true], altered.err);
  }));

Deno.test("ledger closes whom the kit of a run has forgotten, wherever that lies; JSON has the branches", () =>
  inTemporaryFolder(async (folder) => {
    const [dir, kit, keyFile] = ["requests", "apart", "a.identity-key"].map((n) => join(folder, n));
    const key = newIdentityKey();
    await writeIdentityKey(keyFile, key);
    const fixture = fromFileUrl(new URL("../../fixtures/4832d1b/kit", import.meta.url));
    const { manifest } = await readManifest(fixture);
    const { keyFingerprint: _, ...others } = manifest;
    const forgotten = ["Early", "Late"].map((name) => identityHash(key, name));
    const { text } = encodeManifest({ ...others, forgotten: forgotten.toSorted() });
    await Deno.mkdir(kit);
    await Deno.writeTextFile(join(kit, "kit.json"), text);
    const bytes = new TextEncoder().encode(text);
    const written = [{ file: "kit/kit.json", sha256: sha256Hex(bytes), bytes: bytes.length }];
    const runs = { b: ["a", "b"], c: ["a", "c"] };
    for (const [name, [before, after]] of Object.entries(runs)) {
      const kitId = { before: hash(before), after: hash(after) };
      const receipt = { ...smallReceipt(), people: 1, written, kitId };
      await Deno.writeTextFile(
        join(folder, `${name}.json`),
        encodeReceipt(await sealReceipt(receipt, null)),
      );
    }
    const run = async (...args: string[]) => {
      const terminal = recordedTerminal();
      const all = ["--dir", dir, "--identity-key", keyFile, ...args];
      const code = await execute(ledger, all, terminal);
      return { code, out: terminal.printed.join("\n"), err: terminal.noted.join("\n") };
    };
    assertEquals((await run("--received", "Early,Late,Never")).code, 0);
    const close = (who: string, receipt: string, kit: string) =>
      run("--done", who, "--receipt", join(folder, receipt), "--kit", kit);
    for (
      const [who, from, says] of [
        ["Never", kit, "never knew them"],
        ["Late", fixture, "is not the kit that the run of"],
      ]
    ) {
      const { code, err } = await close(who, "b.json", from);
      assertEquals([code, err.includes(says)], [1, true], err);
    }
    const { code, err } = await close("Late", "b.json", kit);
    // A kit lists people by their hashes, in whichever request they went.
    const mixed =
      `${join(folder, "b.json")} is of a kit that lists 1 more whom earlier runs forgot: ` +
      "whether it was this run is not told; noted as done by it all the same";
    assertEquals([code, err], [0, `${UNSIGNED(join(folder, "b.json"))}\n${mixed}`]);
    // Where the ledger has closed all others by their own runs, it is told.
    const alone = ["--dir", join(folder, "other"), "--identity-key", keyFile];
    for (
      const [args, said] of [
        [["--received", "Early,Late"], ""],
        [["--done", "Early", "--receipt", join(folder, "c.json")], "people were counted"],
        [["--done", "Late", "--receipt", join(folder, "b.json"), "--kit", kit], "is unsigned"],
      ] as const
    ) {
      const terminal = recordedTerminal();
      assertEquals(await execute(ledger, [...alone, ...args], terminal), 0);
      const notes = terminal.noted.join("\n");
      assertEquals([notes.includes(said), notes.includes("is not told")], [true, false], notes);
    }
    assertEquals((await run("--done", "Never", "--receipt", join(folder, "c.json"))).code, 0);
    const { requests, branched } = JSON.parse((await run("--json")).out);
    assertEquals(requests.length, 3);
    const never = identityHash(key, "Never");
    const branches = [[hash("b"), [forgotten[1]]], [hash("c"), [never]]]
      .map(([kit, people]) => ({ kit, people }));
    assertEquals(branched, [{ kit: hash("a"), branches }]);
  }));
