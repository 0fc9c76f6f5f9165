import { withoutLinkerOrders } from "./launcher_environment.js";

/** How a program ended and what it said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The one program that the launchers may start (deno.json); it starts all others. */
export const SHELL = "/bin/sh";

/**
 * Runs a program with the launcher's own environment, less orders to the linker, to its end. None of those
 * that it runs asks a server, and with a DENO_CERT that is not there Deno would not even fetch a file.
 *
 * @param variables besides
 */
export async function say(
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const { env: { DENO_CERT: _, ...env }, ...rest } = await withoutLinkerOrders();
  const [program, ...args] = Deno.build.os === "windows" ? argv : become(argv);
  const child = new Deno.Command(program, {
    args,
    ...rest,
    env: { ...env, ...variables },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // What outlives this process would go on writing into its private DENO_DIR while that is removed.
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
  };
  globalThis.addEventListener("unload", kill);
  const { code, stdout, stderr } = await child.output()
    .finally(() => globalThis.removeEventListener("unload", kill));
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, out: text(stdout), err: text(stderr) };
}

function become(argv: readonly string[]): string[] {
  return [SHELL, "-c", 'exec "$@"', "sh", ...argv];
}

/** Where the system's own programs lie: bubblewrap and strace are taken from here, not from a user's. */
export const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";

/** Runs a shell script with arguments `$1`, `$2`, .. Where there is no shell, it ends with 127. */
export async function shell(script: string, ...args: string[]): Promise<Said> {
  if (Deno.build.os === "windows") return { code: 127, out: "", err: "there is no sh" };
  return await say([SHELL, "-c", `PATH=${SYSTEM_PATH}; ${script}`, "sh", ...args]);
}

/**
 * Closes every descriptor above 2, makes sure of it, and becomes the program given. Deno leaves open
 * what it inherited without the flag close-on-exec, and so hands it on to its children.
 */
const CLOSE = `
for fd in /proc/self/fd/* /dev/fd/*; do
  n=\${fd##*/}
  case $n in
    [012] | *[!0-9]*) continue ;;
    ??*) [ -n "$BASH_VERSION" ] || { echo "descriptor $n is open, and closing it takes bash" >&2; exit 125; } ;;
  esac
  eval "exec $n>&-"
done
for fd in /proc/self/fd/*; do
  case \${fd##*/} in [012]) continue ;; esac
  if [ -e "$fd" ]; then echo "descriptor \${fd##*/} stays open" >&2; exit 125; fi
done
exec "$@"`;

/** Dash closes descriptors of one digit only, and fails on others: bash where there is one. */
const ENTER = `if command -v bash >/dev/null; then exec bash -c "$0" bash "$@"; fi; eval "$0"`;

/**
 * A command line that runs another one with the descriptors 0, 1 and 2 only; exit code 125 where
 * it cannot.
 */
export function withoutDescriptors(argv: readonly string[]): string[] {
  return [SHELL, "-c", ENTER, CLOSE, ...argv];
}
