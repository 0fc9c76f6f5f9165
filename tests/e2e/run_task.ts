import { dirname, fromFileUrl } from "@std/path";
import { HAS_ADAPTER } from "../machine.ts";
import { HANDED_OVER } from "../../cli/command/working_folder.ts";
import manifest from "../../deno.json" with { type: "json" };

/** A task of deno.json. */
export type TaskName = Exclude<
  keyof typeof manifest.tasks,
  "test" | "test-long" | "fmt" | "lint" | "check" | "ok" | "hooks"
>;

/** How a task ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What the tasks compute on: an adapter where the tests may use one, else WASM. */
export const DEVICE: readonly string[] = ["--device", HAS_ADAPTER ? "webgpu" : "wasm"];

/**
 * A task of deno.json without what it hands over: the subcommand and permissions that `deno` is given,
 * the script below the project, and what it is told first.
 */
export function taskLine(name: TaskName): { flags: string[]; script: string; first: string[] } {
  const [program, ...words] = manifest.tasks[name].replace(/^NODE_OPTIONS= /, "").split(" ");
  if (program !== "deno") throw new Error(`task ${name} runs ${program}`);
  if (words.pop() !== `${HANDED_OVER}"$INIT_CWD"`) throw new Error(`${name} hands over no folder`);
  const at = words.findIndex((word) => word.startsWith("tasks/"));
  return { flags: words.slice(0, at), script: words[at], first: words.slice(at + 1) };
}

/**
 * A task as a child process, with exactly the command and permissions that deno.json gives it.
 *
 * @param cwd its working folder, which relative paths in `args` are below
 */
export function taskCommand(name: TaskName, args: readonly string[], cwd: string): Deno.Command {
  const { flags, script, first } = taskLine(name);
  return new Deno.Command(Deno.execPath(), {
    args: [...flags, fromFileUrl(new URL(`../../${script}`, import.meta.url)), ...first, ...args],
    cwd,
    env: { NO_COLOR: "1", LETHE_DEBUG: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** The environment of a shell that no task has started, with this Deno first on the PATH. */
export function shellEnvironment(): Record<string, string> {
  const { INIT_CWD: _, PATH, ...inherited } = Deno.env.toObject();
  return { ...inherited, PATH: `${dirname(Deno.execPath())}:${PATH}`, NO_COLOR: "1" };
}

/** Runs a task to its end, whatever that is. */
export async function runTask(
  name: TaskName,
  args: readonly string[],
  cwd: string,
): Promise<Ended> {
  const { code, stdout, stderr } = await taskCommand(name, args, cwd).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/**
 * Starts a task, and kills it as soon as something is there.
 *
 * @throws Error it ended before that
 */
export async function killOnce(
  name: TaskName,
  args: readonly string[],
  cwd: string,
  there: () => Promise<boolean>,
): Promise<void> {
  const child = taskCommand(name, args, cwd).spawn();
  let working = true;
  const ended = child.output().finally(() => working = false);
  while (working && !await there()) await new Promise((go) => setTimeout(go, 2));
  if (working) child.kill("SIGKILL");
  const { code, signal, stderr } = await ended;
  if (signal === "SIGKILL") return;
  const said = new TextDecoder().decode(stderr);
  throw new Error(`${name} ended with ${code} before it was killed\n${said}`);
}

/** Runs a task that must succeed; gives its standard output. */
export async function done(name: TaskName, args: readonly string[], cwd: string): Promise<string> {
  const { code, out, err } = await runTask(name, args, cwd);
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}\n${out}${err}`);
  return out;
}
