import { fromFileUrl } from "@std/path";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { digestFile } from "../../../lib/audit/record/digest_files.ts";
import { hashLibrary } from "../../../lib/audit/record/library.ts";
import { moduleHashes } from "../../../lib/audit/record/module_hashes.ts";
import type { Receipt } from "../../../lib/audit/receipt/receipt.ts";
import { sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { verifyProgram } from "../../../lib/audit/verify/verify_program.ts";
import { hash, smallReceipt } from "../small_receipt.ts";

const LOCK = new URL("../../../deno.lock", import.meta.url);

/** A receipt of this copy of Lethe. */
async function ownReceipt(): Promise<Receipt> {
  const graphs = [
    await moduleHashes("lib/audit/sandbox/unlearn_worker.ts"),
    await moduleHashes("tasks/unlearn.ts"),
  ];
  const once = <T>(entries: readonly T[], nameOf: (entry: T) => string) => [
    ...new Map(entries.map((entry) => [nameOf(entry), entry])).values(),
  ];
  return await sealReceipt({
    ...smallReceipt(),
    launcher: "tasks/unlearn.ts",
    code: once(graphs.flatMap(({ code }) => code), ({ file }) => file),
    packages: once(graphs.flatMap(({ packages }) => packages), ({ name }) => name),
    lockFile: await digestFile(fromFileUrl(LOCK)),
    library: hashLibrary(),
    // A small file: whoever verifies hashes what is named here, each time.
    machine: [{ path: fromFileUrl(LOCK), use: "mapped", ...await digestFile(fromFileUrl(LOCK)) }],
    deno: {
      ...await digestFile(Deno.execPath()),
      version: Deno.version.deno,
      target: Deno.build.target,
    },
  }, null);
}

Deno.test("verifyProgram holds for this copy of Lethe and finds each part that is another's", async () => {
  const receipt = await ownReceipt();
  const states = async (changes: Partial<Receipt>) => {
    const outcomes = await verifyProgram({ ...receipt, ...changes });
    return Object.fromEntries(outcomes.map(({ layer, state }) => [layer, state]));
  };
  const held = {
    ...{ code: "held", library: "held", packages: "held", tarballs: "absent" },
    ...{ "lock file": "held", deno: "held", machine: "held" },
  };
  assertEquals(await states({}), held);
  assertEquals(receipt.code.some(({ file }) => file === "tasks/start.js"), true, "the stub too");

  const { code, packages, lockFile, deno, library, machine } = receipt;
  const more = { ...library!, ...{ files: library!.files + 1, sha256: hash("9") } };
  const elsewhere = machine!.map((file) => ({ ...file, sha256: hash("9") }));
  assertEquals(
    await states({ library: more, machine: elsewhere }),
    { ...held, library: "failed", machine: "absent" },
    "a file more; a machine of other files",
  );
  // What would be read for ever, or could be: it is not opened.
  const endless = ["/dev/zero", "/dev/stdin", "/proc/kcore", "/proc/kmsg", "/"];
  const named = [0, 1, Number.MAX_SAFE_INTEGER].flatMap((bytes) =>
    endless.map((path) => ({ path, use: "mapped" as const, sha256: hash("9"), bytes }))
  );
  assertEquals(await states({ machine: named }), { ...held, machine: "absent" });
  // The same file by other paths, each of which would be read.
  const lock = fromFileUrl(LOCK);
  const paths = [`/.${lock}`, `/${lock}`, lock.replace(/\/([^/]*)$/, "/../$1/../$1")];
  const again = paths.map((path) => ({ ...machine![0], path }));
  assertEquals(await states({ machine: again }), { ...held, machine: "absent" });
  const other = { sha256: hash("9") };
  assertEquals(await states({ code: [{ ...code[0], ...other }, ...code.slice(1)] }), {
    ...held,
    code: "failed",
  });
  assertEquals(await states({ code: code.slice(1) }), { ...held, packages: "failed" });
  assertEquals(await states({ code: [] }), { ...held, code: "failed", packages: "failed" });
  assertEquals(await states({ code: [...code, { ...code[0], file: "tasks/none.ts" }] }), {
    ...held,
    code: "failed",
    packages: "failed",
  });
  assertEquals(await states({ packages: [{ ...packages[0], ...other }, ...packages.slice(1)] }), {
    ...held,
    packages: "failed",
  });
  assertEquals(await states({ lockFile: { ...lockFile, ...other }, deno: { ...deno, ...other } }), {
    ...held,
    "lock file": "failed",
    deno: "failed",
  });
});

Deno.test("verifyProgram compares no binaries of other versions or machines", async () => {
  const receipt = await ownReceipt();
  for (const part of [{ version: "2.9.5" }, { target: "aarch64-apple-darwin" }]) {
    const deno = { ...receipt.deno, ...part, sha256: hash("9") };
    const { state, detail } = (await verifyProgram({ ...receipt, deno }))
      .find(({ layer }) => layer === "deno")!;
    assertEquals(state, "absent");
    assertStringIncludes(detail, `the run's was ${deno.version} for ${deno.target}, `);
  }
});
