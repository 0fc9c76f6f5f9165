import { assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { hashPackageFiles } from "../../../lib/audit/sandbox/private_cache.js";
import { checkFetched, lockedTarballs } from "../../../lib/audit/verify/packages.ts";
import { say } from "../../../lib/audit/sandbox/shell.ts";
import { hashTarball } from "../../../lib/audit/verify/tarballs.ts";
import { LetheError } from "../../../lib/error.ts";

const text = new TextEncoder();

/** One file of a tarball: a header of 512 bytes and the content, filled up. */
function entry(path: string, content: string, type = "0"): Uint8Array {
  const bytes = text.encode(content);
  const block = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
  block.set(text.encode(path));
  block.set(text.encode(bytes.length.toString(8).padStart(11, "0")), 124);
  block.set(text.encode(type), 156);
  block.set(text.encode("ustar"), 257);
  block.set(bytes, 512);
  return block;
}

async function packed(...entries: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const tar = new Blob([...entries as BlobPart[], new Uint8Array(1024)]);
  return await new Response(tar.stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

const integrity = (bytes: Uint8Array) =>
  `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

Deno.test("hashTarball gives what hashPackageFiles gives of the unpacked package", async () => {
  const long = `${"deep/".repeat(30)}a.js`;
  const bytes = await packed(
    entry("package/package.json", "{}"),
    entry("package/lib/", "", "5"),
    entry("pax", `${long.length + 17} path=package/${long}\n`, "x"),
    entry("package/short.js", "1"),
    entry("package/README.md", "some words"),
    entry("package/another_form.js", "1"),
  );
  assertEquals(
    await hashTarball(bytes, integrity(bytes), "a.tgz", ["package.json", long]),
    hashPackageFiles([
      ["package.json", text.encode("{}")],
      [long, text.encode("1")],
      ["README.md", 10],
      ["another_form.js", 1],
    ]),
  );
});

Deno.test("hashTarball refuses another tarball, links in it and one that is cut short", async () => {
  const bytes = await packed(entry("package/a.js", "1"));
  const refused = async (tarball: Uint8Array<ArrayBuffer>, says: string, named = tarball) => {
    const run = () => hashTarball(tarball, integrity(named), "a.tgz", []);
    await assertRejects(run, LetheError, says);
  };
  await refused(bytes, "deno.lock names sha512-", text.encode("other"));
  await refused(await packed(entry("package/a.js", "", "2")), "a.js is no file");
  const cut = entry("package/a.js", "1");
  cut.set(text.encode("77777777777"), 124);
  await refused(await packed(cut), "it is cut short");
});

Deno.test("lockedTarballs names the tarballs as npm does", () => {
  const all = lockedTarballs();
  const core = all.find(({ name }) => name === "@tensorflow/tfjs-core@4.22.0")!;
  assertEquals(
    [core.url, core.file],
    [
      "https://registry.npmjs.org/@tensorflow/tfjs-core/-/tfjs-core-4.22.0.tgz",
      "tensorflow-tfjs-core-4.22.0.tgz",
    ],
  );
  assertEquals(all.some(({ name }) => name === "string_decoder@1.3.0"), true);
});

/** Answers whatever is asked for, as a registry that is not npm's would, and counts. */
const STAND_IN = `
let asked = 0;
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port) }, (request) => {
  if (new URL(request.url).pathname === "/asked") return new Response(String(asked));
  asked++;
  return request.url.endsWith(".tgz") ? new Response("no tarball") : Response.json({ versions: {} });
});`;

Deno.test("checkFetched fails where a registry has other packages than deno.lock names, or is none", async () => {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", STAND_IN],
    ...{ stdin: "null", stdout: "piped", stderr: "null" },
  }).spawn();
  const reader = server.stdout.getReader();
  let port: string;
  try {
    port = new TextDecoder().decode((await reader.read()).value).trim();
    const registry = `http://127.0.0.1:${port}`;
    const [state, detail] = await checkFetched([WORKER], registry);
    assertEquals([state, detail.startsWith(`${registry}: `)], ["failed", true], detail);
    const { out } = await say([
      Deno.execPath(),
      "eval",
      `console.log(await (await fetch("${registry}/asked")).text())`,
    ]);
    assertEquals(Number(out) > 0, true, "it was asked, and no cache");
  } finally {
    server.kill("SIGKILL");
    await reader.cancel();
    await server.status;
  }
  const [gone] = await checkFetched([WORKER], `http://127.0.0.1:${port}`);
  assertEquals(gone, "failed");
});

const WORKER = "lib/audit/sandbox/unlearn_worker.ts";
