import manifest from "../deno.json" with { type: "json" };
import { closestName } from "../lib/closest_name.ts";
import { shellWord } from "../lib/files/shell_word.ts";

/** The commands of `lethe`: those tasks of deno.json that run a program of this repository's. */
export function commandNames(): string[] {
  return Object.entries(manifest.tasks).filter(([, line]) =>
    /^(?:NODE_OPTIONS= )?deno run /.test(line)
  )
    .map(([name]) => name);
}

/**
 * What `lethe` says where it is given no command of its own.
 *
 * @returns the text, and the exit code: 0 where help or the version is asked for, else 2
 */
export function answer(args: readonly string[]): { text: string; exitCode: 0 | 2 } {
  const [word] = args;
  const usage = [
    "lethe COMMAND ..: does what deno task COMMAND .. does, from any folder",
    "",
    ...commandNames().map((name) => `  ${name}`),
    "",
    "lethe COMMAND --help lists a command's options.",
  ].join("\n");
  if (word === "--version") return { text: `lethe ${manifest.version}`, exitCode: 0 };
  if (word === "--help" || word === "-h") return { text: usage, exitCode: 0 };
  if (word === undefined) return { text: usage, exitCode: 2 };
  const near = closestName(word, commandNames());
  const remedy = near === null ? "lethe --help lists them" : `did you mean ${near}?`;
  return {
    text: `lethe: ${shellWord(word)} is no command; its commands are tasks of deno.json: ${remedy}`,
    exitCode: 2,
  };
}

if (import.meta.main) {
  const { text, exitCode } = answer(Deno.args);
  if (exitCode === 0) console.log(text);
  else console.error(text);
  Deno.exit(exitCode);
}
