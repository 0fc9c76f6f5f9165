import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import kept from "../../../fixtures/results/layers_alone.json" with { type: "json" };
import type { Containment } from "../../../lib/audit/sandbox/contained_run.ts";
import { containedCommand } from "../../../lib/audit/sandbox/containment.ts";
import { readModuleGraph } from "../../../lib/audit/layers/module_graph.ts";
import { say, shell, withoutDescriptors } from "../../../lib/audit/sandbox/shell.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { HAS_BUBBLEWRAP, MAY_MOUNT } from "./abilities.ts";
import { COLUMNS, type LayersAlone, layersAlone, UNKNOWN } from "./layers_alone.ts";
import { output, SECRET, setUp, WAYS } from "./ways.ts";

/** What each layer did about each way when it was measured: the table of lib/audit/README.md. */
const KEPT = new Map(
  kept.rows.map(([name, ...cells]) => [
    name,
    Object.fromEntries(cells.map((cell, i) => [COLUMNS[i] as string, cell])),
  ]),
);

for (const way of WAYS) {
  Deno.test({
    name: `Each layer alone does about ${way.name} what the table says`,
    ignore: way.mounts === true && !MAY_MOUNT,
    fn: async () => {
      const found = await layersAlone(way);
      const known = Object.fromEntries(
        Object.entries(KEPT.get(way.name)!)
          .map((
            [layer, cell],
          ) => [layer, found[layer as keyof LayersAlone] === UNKNOWN ? UNKNOWN : cell]),
      );
      assertEquals(found, known as LayersAlone);
      assertEquals(found["no layer"], "passes", "without layers it gets through");
      assert(Object.values(found).includes("stopped"), "and one of them stops it");
    },
  });
}

const graph = readModuleGraph(
  await Deno.realPath(new URL("../../../lib/audit/sandbox/unlearn_worker.ts", import.meta.url)),
);

/** An entry's output under the launcher's own command line, or one with Deno's permissions all granted. */
async function attack(
  folder: string,
  entry: string,
  containment: Containment,
  permissions: "as launched" | "all",
): Promise<string> {
  const { denoDir } = await graph;
  const { argv, environment } = await containedCommand(containment, {
    ...{ entry, modules: [entry], args: [], read: [join(folder, "requests")], denoDir },
    ...{ write: join(folder, "out"), runFolder: join(folder, "run") },
    ...{ permissionLog: null, trace: null, drivers: [] },
  });
  const granted = permissions === "as launched"
    ? argv
    : argv.flatMap((word) =>
      word === "--no-prompt" ? ["-A"] : word.startsWith("--allow-") ? [] : [word]
    );
  return await output(granted, environment);
}

/** {@link setUp} of a module that tries no way to the secret. */
const place = (folder: string, code: string) => setUp(folder, { name: "none", code: () => code });

const NETWORK = `
const listener = Deno.args.length > 0 ? null : Deno.listen({ hostname: "127.0.0.1", port: 0 });
const port = Number(Deno.args[0] ?? listener?.addr.port);
const connection = await Deno.connect({ hostname: "127.0.0.1", port });
console.log("connected");
connection.close();
listener?.close();`;

Deno.test("containedCommand stops the network", () =>
  inTemporaryFolder(async (temporary) => {
    const folder = await Deno.realPath(temporary);
    const entry = await place(folder, NETWORK);
    assertStringIncludes(await attack(folder, entry, "deno", "all"), "connected");
    assertEquals(await attack(folder, entry, "deno", "as launched"), "");
    if (!HAS_BUBBLEWRAP) return;
    // Inside is a network of its own: a listener outside is not in it.
    const server = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        'const l = Deno.listen({ hostname: "127.0.0.1", port: 0 }); console.log(l.addr.port); for await (const c of l) c.close();',
      ],
      stdout: "piped",
    }).spawn();
    const reader = server.stdout.getReader();
    try {
      const port = new TextDecoder().decode((await reader.read()).value).trim();
      const there = `Deno.args.push("${port}");${NETWORK}`;
      await Deno.writeTextFile(entry, there);
      assertStringIncludes(await attack(folder, entry, "deno", "all"), "connected");
      assertEquals(await attack(folder, entry, "bubblewrap", "all"), "");
    } finally {
      await reader.cancel();
      server.kill();
      await server.status;
    }
  }));

Deno.test("runContained gives no input, and no variables but those that are named", () =>
  inTemporaryFolder(async (temporary) => {
    const folder = await Deno.realPath(temporary);
    const code = `const input = await new Response(Deno.stdin.readable).text();
    const request = await Deno.readTextFile(new URL("../requests/a", import.meta.url));
    console.log(JSON.stringify({ input, request, names: Object.keys(Deno.env.toObject()) }));`;
    const entry = await place(folder, code);
    // They do no harm to other test files, whose programs inherit them as well.
    const hostile = {
      NODE_OPTIONS: "--no-warnings",
      DENO_V8_FLAGS: "--expose-gc",
      DENO_AUDIT_PERMISSIONS: "/dev/null",
      DENO_TLS_CA_STORE: "system",
    };
    const named = [
      ...["DENO_DIR", "DENO_NO_UPDATE_CHECK", "NO_COLOR", "HOME", "XDG_RUNTIME_DIR"],
      // The shell sets some of its own, Deno the last one.
      ...[
        "MESA_SHADER_CACHE_DISABLE",
        "__GL_SHADER_DISK_CACHE",
        "PATH",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "DENO_NODE_SHIM_ACTIVE",
      ],
    ];
    for (const [name, value] of Object.entries(hostile)) Deno.env.set(name, value);
    try {
      const bare = new Deno.Command(Deno.execPath(), { args: ["run", "-A", entry], stdin: "null" });
      const control = JSON.parse(new TextDecoder().decode((await bare.output()).stdout));
      assertEquals(Object.keys(hostile).every((name) => control.names.includes(name)), true);
      for (
        const containment of ["deno", ...HAS_BUBBLEWRAP ? ["bubblewrap"] : []] as Containment[]
      ) {
        const said = await attack(folder, entry, containment, "all");
        const { input, request, names } = JSON.parse(said);
        assertEquals([input, request], ["", "a request"], "what it may read is there");
        assertEquals(names.filter((name: string) => !named.includes(name)), []);
      }
    } finally {
      for (const name of Object.keys(hostile)) Deno.env.delete(name);
    }
  }));

Deno.test({
  name: "withoutDescriptors closes inherited descriptors or refuses",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const secret = join(folder, "secret");
      await Deno.writeTextFile(secret, SECRET);
      const inherit = async (argv: readonly string[]) => {
        const script = 'secret=$1; shift; exec 9<"$secret" 23<"$secret"; exec "$@"';
        return await say(["bash", "-c", script, "bash", secret, ...argv]);
      };
      for (const fd of ["9", "23"]) {
        const cat = ["cat", `/proc/self/fd/${fd}`];
        assertEquals((await inherit(cat)).out, SECRET, "it is inherited");
        // Deno hands it on to its own child.
        const script = `const { stdout } = await new Deno.Command("cat", { args: [${
          JSON.stringify(cat[1])
        }] }).output(); console.log(new TextDecoder().decode(stdout));`;
        const through = await inherit([Deno.execPath(), "eval", script]);
        assertEquals(through.out, SECRET, "Deno does not close it");
        const { code, out } = await inherit(withoutDescriptors(cat));
        assertEquals([code, out], [1, ""], "it is closed");
      }
      // A shell that cannot close descriptors of two digits refuses, and does not run the program.
      const { out } = await shell("command -v dash");
      if (out === "") return;
      const [, , enter, ...rest] = withoutDescriptors(["echo", "it ran"]);
      const noBash = enter.replace("command -v bash", "false");
      const refused = await inherit([out, "-c", noBash, ...rest]);
      assertEquals([refused.code, refused.out], [125, ""]);
      assertMatch(refused.err, /^descriptor \d+ is open/);
    }),
});
