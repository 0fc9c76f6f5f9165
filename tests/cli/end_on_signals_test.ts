import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const ENDLESS = fromFileUrl(new URL("./endless_pass.ts", import.meta.url));

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test({
    name: `endOnSignals ends a pass on WASM that gives the event loop no turn, on ${signal}`,
    ignore: Deno.build.os === "windows", // there one process can be sent no signal
    async fn() {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-prompt", "--allow-read", ENDLESS],
        env: { NO_COLOR: "1" },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      let said = "";
      // A pass that does not heed the signal ends by itself, with exit code 0.
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        if (!said.includes("begun") && (said + text).includes("begun")) child.kill(signal);
        said += text;
      }
      assertEquals((await child.status).code, exitCode, said);
      assertStringIncludes(said, "begun\nlethe: interrupted\n");
    },
  });
}
