import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { names } from "../e2e/small_path.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const LATE = fromFileUrl(new URL("./late_command.ts", import.meta.url));

const CUT = "lethe: interrupted\n";
const FINISHING = "lethe: interrupted, finishing a file\n";
const NOTHING = "lethe: nothing is kept: the same command begins anew\n";
const STATE = "lethe: kept: state; the same command goes on from there\n";

/** By when the signal comes: exit code, standard output and error, and what lies there. */
const ENDS: Readonly<Record<string, [number, string, string, string[]]>> = {
  "before": [130, "", CUT + NOTHING, []],
  "finishing": [0, "out: made\n", FINISHING, ["out"]],
  "state": [130, "", FINISHING + STATE, ["state"]],
  "made": [0, "out: made\n", "", ["out"]],
  "let go": [0, "out: made\n", "", ["out"]],
  "printed": [0, "out: made\n", "", ["out"]],
  "figures": [0, "figures\n", "", ["out"]],
  "no figures": [130, "", CUT + NOTHING, []],
};

for (const [at, [code, out, err, there]] of Object.entries(ENDS)) {
  const ends = code === 0 ? "is too late" : "ends the run";
  Deno.test({
    name: `main: a signal that comes at the moment "${at}" ${ends}, and both say one truth`,
    ignore: Deno.build.os === "windows", // there one process can be sent no signal
    fn: () =>
      inTemporaryFolder(async (folder) => {
        const ended = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-check", "--no-prompt", "-A", LATE, "--at", at],
          env: { NO_COLOR: "1" },
          cwd: folder,
          stdin: "null",
          signal: AbortSignal.timeout(60_000),
        }).output();
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        // A signal at the moment of writing may meet the file being finished.
        const said = at === "figures"
          ? text(ended.stderr).replace(FINISHING, "")
          : text(ended.stderr);
        assertEquals([ended.code, text(ended.stdout), said, names(folder)], [
          code,
          out,
          err,
          there,
        ]);
      }),
  });
}
