import { assert } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { inTemporaryFolder } from "../temporary_folder.ts";

const SIDE = 4000;
/** Of one picture, decoded, MiB. */
const DECODED = SIDE * SIDE * 3 / 2 ** 20;
const PICTURES = 6;

const at = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);

/** Reads a folder of requests, as a worker does or keeping all pixels, and says how large it became. */
const PROGRAM = `
import { readRequests } from ${at("lib/data/requests/requests.ts")};
import { decodeImage } from ${at("lib/data/images/decode_image.ts")};
const [folder, how] = Deno.args;
const kept = [];
if (how === "kept") {
  for (const { name } of Deno.readDirSync(folder)) {
    kept.push(decodeImage(Deno.readFileSync(folder + "/" + name), name));
  }
} else kept.push(await readRequests(folder, { task: "multi-label", labels: ["a"] }, { side: 32, version: 2 }));
const { stdout } = new Deno.Command("/bin/sh", {
  args: ["-c", "grep VmHWM /proc/$PPID/status"],
}).outputSync();
console.log(/[0-9]+/.exec(new TextDecoder().decode(stdout))[0], kept.length);`;

/** A black picture of one bit a pixel, a few kilobytes of file. */
async function blackPng(): Promise<Uint8Array> {
  const table = Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  const uint32 = (value: number) => new Uint8Array([24, 16, 8, 0].map((shift) => value >>> shift));
  const chunk = (type: string, data: Uint8Array) => {
    const body = new Uint8Array([...new TextEncoder().encode(type), ...data]);
    const crc = body.reduce((sum, byte) => table[(sum ^ byte) & 255] ^ (sum >>> 8), 0xffffffff);
    return [...uint32(data.length), ...body, ...uint32(~crc >>> 0)];
  };
  const raw = new Uint8Array(SIDE * (1 + Math.ceil(SIDE / 8)));
  const deflated = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(deflated).arrayBuffer());
  const head = new Uint8Array([...uint32(SIDE), ...uint32(SIDE), 1, 0, 0, 0, 0]);
  const chunks = [["IHDR", head], ["IDAT", data], ["IEND", new Uint8Array()]] as const;
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return new Uint8Array([...signature, ...chunks.flatMap(([type, bytes]) => chunk(type, bytes))]);
}

// Attack 11: small files of large pictures, of which all were kept decoded.
Deno.test({
  name: "readRequests keeps of each picture what the model looks at, however many pixels it has",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const png = await blackPng();
      assert(png.length < 2 ** 16, `${png.length} bytes`);
      await Deno.writeTextFile(join(folder, "program.ts"), PROGRAM);
      const peak = async (pictures: number, how: "read" | "kept") => {
        const requests = join(folder, `${how}${pictures}`);
        await Deno.mkdir(requests);
        for (let i = 0; i < pictures; i++) await Deno.writeFile(join(requests, `${i}.png`), png);
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", "--config", CONFIG, join(folder, "program.ts")]
            .concat(requests, how),
        }).output();
        const size = parseInt(new TextDecoder().decode(stdout));
        assert(size > 0, new TextDecoder().decode(stderr));
        return size / 1024;
      };
      const one = await peak(1, "read");
      const more = await peak(PICTURES, "read") - one;
      const kept = await peak(PICTURES, "kept") - one;
      assert(kept > 0.7 * (PICTURES - 1) * DECODED, `the control: kept takes ${kept} MiB more`);
      assert(more < DECODED, `read takes ${more} MiB more`);
    }),
});

const CONFIG = fromFileUrl(new URL("../../../deno.json", import.meta.url));
