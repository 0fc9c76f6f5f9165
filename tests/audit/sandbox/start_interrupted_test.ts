import { assertEquals } from "@std/assert";

const START = `
import { start } from ${
  JSON.stringify(new URL("../../../lib/audit/sandbox/start.js", import.meta.url).href)
};
const code = start("tasks/unlearn.ts", ["--help"]);
// It waits for its first program, and has started no launcher.
Deno.kill(Deno.pid, Deno.args[0]);
Deno.exit(await code);`;

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `start, interrupted by ${signal} before there is a launcher, says that nothing is kept`,
    ignore: Deno.build.os === "windows", // there one process can be sent no signal
    async fn() {
      const module = await Deno.makeTempFile({ suffix: ".js" });
      try {
        await Deno.writeTextFile(module, START);
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-check", "--no-prompt", "-A", module, signal],
          stdin: "null",
          signal: AbortSignal.timeout(60_000),
        }).output();
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        assertEquals(
          [code, text(stdout), text(stderr)],
          [
            exitCode,
            "",
            "lethe: interrupted\nlethe: nothing is kept: the same command begins anew\n",
          ],
        );
      } finally {
        await Deno.remove(module);
      }
    },
  });
}
