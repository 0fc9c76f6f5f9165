import { isInterrupted } from "../../files/interruption.ts";
import { sha256Hex } from "../../files/sha256.ts";
import type { EvidenceText } from "./contained_run.ts";
import { ordersLinker } from "./launcher_environment.js";
import { SYSTEM_PATH } from "./shell.ts";

/** How a contained program ended. */
export interface Ended {
  readonly code: number;
  /** All of standard output. */
  readonly out: string;
}

/** The worker answers with one line; a gigabyte of it is no answer. */
const MAX_OUTPUT = 2 ** 28;

/**
 * Runs a contained program to its end, with no input, an environment and a process group of its own. It
 * is killed when this process exits meanwhile.
 *
 * @param onLine gets each line of standard error as it comes
 * @param onStart gets the process group's number
 * @param signal ends it before its end
 */
export async function runContained(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
  onStart: (group: number) => void = () => {},
  signal?: AbortSignal,
): Promise<Ended> {
  const [program, ...args] = argv;
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    // The wrapper finds bubblewrap and strace by PATH; bubblewrap clears it.
    env: { PATH: SYSTEM_PATH, ...withoutLibraryPath(environment) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  onStart(child.pid);
  const kill = () => child.kill("SIGKILL");
  globalThis.addEventListener("unload", kill);
  signal?.addEventListener("abort", kill);
  try {
    const [out, , { code }] = await Promise.all([
      readAll(child.stdout),
      readLines(child.stderr, (line) => isInterrupted() || onLine(line)),
      child.status,
    ]);
    return { code, out };
  } finally {
    globalThis.removeEventListener("unload", kill);
    signal?.removeEventListener("abort", kill);
  }
}

/** Deno hands on no order to the linker; the command line sets the one that there may be. */
function withoutLibraryPath(environment: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ordersLinker(name)));
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    if (text.length < MAX_OUTPUT) text += part;
  }
  return text;
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!.slice(0, 10_000);
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}

/** A text file as evidence. */
export async function evidenceOf(path: string): Promise<EvidenceText> {
  const text = await Deno.readTextFile(path);
  return { text, sha256: sha256Hex(new TextEncoder().encode(text)) };
}
