import { assertEquals } from "@std/assert";
import { needing } from "../../machine.ts";

const SAYS = `
import { say } from ${
  JSON.stringify(new URL("../../../lib/audit/sandbox/shell.ts", import.meta.url).href)
};
void say(["/bin/sh", "-c", "echo $$ > \\"$0\\"; exec sleep 600", Deno.args[0]]);
while (!(await Deno.readTextFile(Deno.args[0]).catch(() => "")).endsWith("\\n")) {
  await new Promise((done) => setTimeout(done, 10));
}
Deno.exit(7);`;

/** What the system says of a process; Deno itself reads nothing below /proc. */
async function stateOf(pid: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'cat "/proc/$1/stat" 2>/dev/null || echo none', "sh", pid],
    ...{ stdin: "null", stderr: "null" },
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  return said === "none" || /\) [ZX] /.test(said) ? "gone" : said; // nobody may have waited for it
}

Deno.test(
  needing(
    "a process's end to be seen",
    Deno.build.os === "linux",
    "say ends what it runs with its own process",
  ),
  async () => {
    const path = await Deno.makeTempFile();
    const module = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(module, SAYS);
      const { code } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-prompt", "-A", module, path],
        ...{ stdin: "null", stdout: "null", stderr: "null" },
        signal: AbortSignal.timeout(60_000),
      }).output();
      assertEquals(code, 7);
      const pid = (await Deno.readTextFile(path)).trim();
      // It was told to end; that it has is seen in a moment.
      let state = "";
      for (let look = 0; look < 1000 && state !== "gone"; look++) {
        state = await stateOf(pid);
        if (state !== "gone") await new Promise((done) => setTimeout(done, 10));
      }
      assertEquals(state, "gone");
    } finally {
      await Promise.all([path, module].map((each) => Deno.remove(each)));
    }
  },
);
