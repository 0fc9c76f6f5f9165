import { assertEquals } from "@std/assert";
import { describeError } from "../../cli/command/describe_error.ts";
import { LetheError, UsageError } from "../../lib/error.ts";
import { temporaryFolder } from "../data/temporary_folder.ts";

Deno.test("describeError takes a LetheError's message and exit code", () => {
  assertEquals(describeError(new LetheError("a", "b", "c")), { line: "a; b: c", exitCode: 1 });
  assertEquals(describeError(new LetheError("a", "b", "c", { exitCode: 3 })).exitCode, 3);
  assertEquals(describeError(new UsageError("a", "b", "c")).exitCode, 2);
});

Deno.test("describeError names a remedy for what the system refuses", async () => {
  const refused = async (path: string) => {
    const error = await Deno.readTextFile(path).catch((error) => error);
    return describeError(error);
  };
  const folder = await temporaryFolder();
  try {
    const { line, exitCode } = await refused(`${folder}/none`);
    assertEquals(exitCode, 1);
    // What precedes are the system's own words.
    assertEquals(
      line.slice(line.indexOf(": readfile ")),
      `: readfile '${folder}/none'; the command needs it: check the path`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(describeError(new Deno.errors.PermissionDenied("Permission denied (os error 13)")), {
    line: "Permission denied; the system keeps it from this user: mend its rights or choose " +
      "another path",
    exitCode: 1,
  });
  // As Deno throws it when /dev/full is written to.
  const full = Object.assign(new Error("No space left on device (os error 28): write"), {
    code: "ENOSPC",
  });
  assertEquals(
    describeError(full).line,
    "No space left on device: write; outputs need room: make room, or choose a place on another disk",
  );
  assertEquals(
    describeError(new Error("No space left on device")).line,
    "No space left on device; outputs need room: make room, or choose a place on another disk",
    "as a worker tells of it",
  );
});

Deno.test("describeError leaves out Deno's advice to widen the permissions", () => {
  const error = new Deno.errors.NotCapable(
    'Requires read access to "/data", run again with the --allow-read flag',
  );
  assertEquals(
    describeError(error).line,
    'Requires read access to "/data"; the task\'s permissions in deno.json do not cover it: ' +
      "choose a path that they cover",
  );
});

Deno.test("describeError makes one line of anything that can be thrown", () => {
  const lines = [new TypeError("a\n  b\r\nc"), "text", undefined, 7].map((thrown) =>
    describeError(thrown)
  );
  assertEquals(
    lines,
    ["a b c", "text", "undefined", "7"].map((what) => ({
      line: `unexpected: ${what}`,
      exitCode: 1,
    })),
  );
});

Deno.test("describeError says how to allow more open files", () => {
  const error = new Error("Too many open files (os error 24): open '/a'");
  assertEquals(describeError(error), {
    line:
      "Too many open files: open '/a'; the system lets a process hold so many open at a time and " +
      "no more: allow more, e.g. by `ulimit -n 1024`, or end what else has files open",
    exitCode: 1,
  });
});
