import { beforeInterruption } from "../../files/interruption.ts";
import { withoutLinkerOrders } from "./launcher_environment.js";
import { SHELL } from "./shell.ts";

/**
 * Outlives the launcher, however that ends: ends the process groups and removes the paths that it was
 * told of. A line that says `done` sends it home.
 */
const WATCH = `
PATH=/usr/bin:/bin:/run/current-system/sw/bin
trap '' HUP INT QUIT TERM
groups= ; set --
while IFS= read -r line; do
  case $line in
    "group "*) groups="$groups -\${line#group }" ;;
    "path "*) set -- "$@" "\${line#path }" ;;
    done) exit 0 ;;
  esac
done
for group in $groups; do kill -KILL -- "$group" 2>/dev/null; done
# What was being written when its writer was killed may still appear.
for attempt in 1 2 3; do
  rm -rf -- "$@" && exit 0
  sleep 0.1
done`;

/** Sees to it that nothing of a run is left behind, even where this process is killed outright. */
export interface Warden {
  /** A process group that ends with this process. */
  watchGroup(leader: number): Promise<void>;
  /** The run has ended, and its own traces are gone. */
  dismiss(): Promise<void>;
}

/** No warden where there is no shell to be one. */
const NONE: Warden = { watchGroup: () => Promise.resolve(), dismiss: () => Promise.resolve() };

/**
 * Posts a warden.
 *
 * @param paths what is removed if this process ends before it dismisses the warden
 */
export async function postWarden(paths: readonly string[]): Promise<Warden> {
  // The warden reads lines: a path of two is removed by this process alone.
  if (Deno.build.os === "windows" || paths.some((path) => path.includes("\n"))) return NONE;
  const child = new Deno.Command(SHELL, {
    args: ["-c", WATCH],
    ...await withoutLinkerOrders(),
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    // A terminal's signals and its end are for the launcher.
    detached: true,
  }).spawn();
  const orders = child.stdin.getWriter();
  const tell = (line: string) => orders.write(new TextEncoder().encode(`${line}\n`));
  for (const path of paths) await tell(`path ${path}`);
  let left = false;
  const leave = async () => {
    if (left) return;
    left = true;
    await orders.close();
    await child.status;
  };
  // What it ends and removes has gone before this process has.
  const takeBack = beforeInterruption(leave);
  return {
    watchGroup: (leader) => tell(`group ${leader}`),
    async dismiss() {
      takeBack();
      if (left) return; // The process is being interrupted: the warden removes what there is.
      await tell("done");
      await leave();
    },
  };
}
