import { assertEquals } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { makePackage } from "../../.github/package/make_package.ts";
import { temporaryFolder } from "../data/temporary_folder.ts";

const PICTURE = "tests/data/images/rgb.jpg";
const PROJECT = fromFileUrl(new URL("../../", import.meta.url));

/** Runs this Deno. @returns its exit code and what it wrote, without colours */
async function deno(cwd: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const run = new Deno.Command(Deno.execPath(), { args, cwd, env });
  const { code, stdout, stderr } = await run.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("makePackage writes a package that JSR takes and that decodes and computes", async () => {
  const folder = await temporaryFolder();
  const out = join(folder, "package");
  try {
    const embedded = await makePackage(PROJECT, out);
    assertEquals(embedded.includes("@cwasm/jpeg-turbo/jpeg-turbo.wasm"), true);
    // No git repository is around it, so nothing in it is uncommitted.
    const dry = await deno(out, "publish", "--dry-run", "--allow-dirty", "--no-check");
    assertEquals(dry.code, 0, dry.text);

    // The embedded bytes are those of the originals: an image is decoded, WASM starts.
    const url = (path: string) => JSON.stringify(toFileUrl(join(out, path)));
    const program = `
      import { openDevice } from ${url("mod.ts")};
      import { decodeImage } from ${url("lib/data/images/decode_image.ts")};
      const device = await openDevice("wasm");
      const bytes = Deno.readFileSync(${JSON.stringify(join(PROJECT, PICTURE))});
      const { width, height } = decodeImage(bytes, "rgb.jpg");
      console.log(device.backend, width > 0 && height > 0);
    `;
    await Deno.writeTextFile(join(out, "try.ts"), program);
    const tried = await deno(out, "run", "--no-check", "--no-prompt", "--allow-read", "try.ts");
    assertEquals([tried.code, tried.text.trim()], [0, "wasm true"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/**
 * Findings of `deno doc --lint` that are not ours to mend: types of tfjs count as private unless they
 * are exported here, and then tfjs's own gaps count; the list behind `MethodName` would need its
 * type written out, which is what the list is there to save.
 */
const NOT_OURS = /references private type '(Tensor|Scalar|ALL)'/;

Deno.test("doc --lint has nothing to say about what is exported", async () => {
  const rooms = ["audit", "measure", "tensor"].map((room) => `lib/${room}/mod.ts`);
  const { text } = await deno(PROJECT, "doc", "--lint", "mod.ts", ...rooms);
  const findings = text.split("\n").filter((line) => line.startsWith("error["));
  assertEquals(findings.filter((line) => !NOT_OURS.test(line)), []);
});
