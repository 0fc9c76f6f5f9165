import { assertEquals, assertStringIncludes } from "@std/assert";
import { judgePermissionLog, openPermissionLog } from "../../../lib/audit/record/permission_log.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const GRANTED = { read: ["/in", "/out"], write: ["/out"] };
const line = (permission: string, value: string | null) =>
  JSON.stringify({ v: 1, permission, value });
const judge = (...lines: string[]) =>
  judgePermissionLog({ text: lines.join("\n") + "\n", sha256: "" }, GRANTED);

Deno.test("judgePermissionLog holds every check against what was granted", () => {
  assertEquals(judge(line("read", "/in/a.png"), line("write", "/out/x")).state, "held");
  for (
    const wrong of [
      line("read", "/data/a.png"),
      line("read", "/in/../data/a.png"),
      line("read", "a.png"),
      line("write", "/in/a.png"),
      line("net", "example.com"),
      line("env", "HOME"),
      "{",
      JSON.stringify({ v: 1, permission: "read", value: "/in/a.png", photo: "iVBORw0KGgo" }),
      line("read", "/in/a.png").replace(",", ", \t"),
      line("read", "/in/a.png").replace("/in", "\\u002fin"),
    ]
  ) {
    const { state, detail } = judge(line("read", "/in/a.png"), wrong);
    assertEquals(state, "failed", wrong);
    assertStringIncludes(detail, "1 of 2 checks");
  }
  assertEquals(judge().state, "failed", "an empty log shows nothing");
});

Deno.test({
  name: "openPermissionLog keeps what was logged, though the writer would take it back",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const log = await openPermissionLog(folder);
      const script = 'Deno.readTextFile("/a").catch(() => {}); ' +
        // What a worker with the right to write would do to a log in a file.
        `Deno.truncateSync(${JSON.stringify(log.path)});`;
      const args = ["eval", script];
      const env = { DENO_AUDIT_PERMISSIONS: log.path };
      await new Deno.Command(Deno.execPath(), { args, env, stderr: "null" }).output();
      const { text } = await log.end();
      assertStringIncludes(text, '"permission":"read","value":"/a"');
    }),
});
