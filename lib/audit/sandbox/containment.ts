import { dirname, join } from "@std/path";
import { LetheError } from "../../error.ts";
import type { Containment } from "./contained_run.ts";
import { PROJECT } from "../layers/module_graph.ts";
import { LIBRARY_PATH } from "./driver_folders.ts";
import { shell, withoutDescriptors } from "./shell.ts";
import { projectFiles } from "../record/trace.ts";
import { refuseComma } from "./inputs.ts";
import type { SandboxChoice } from "./sandbox_choice.ts";

/** What a contained program may reach; absolute paths without links. */
export interface Walls {
  /** Deno entry and its arguments. */
  readonly entry: string;
  /** Every module that the entry loads, and no other file of the project's. */
  readonly modules: readonly string[];
  readonly args: readonly string[];
  /** Files and folders to read; of a folder, all that is in it. */
  readonly read: readonly string[];
  /** The one folder to write (and read back). */
  readonly write: string;
  readonly denoDir: string;
  /** The folder of the run; a private one of the launcher's. */
  readonly runFolder: string;
  /** Folders with a graphics driver that the linker finds by LD_LIBRARY_PATH alone. */
  readonly drivers: readonly string[];
  /** Where Deno logs its permission checks; null: nowhere. */
  readonly permissionLog: string | null;
  /** Where system calls are traced to; null: nowhere. */
  readonly trace: string | null;
}

/** A command line with everything about it that is worth a line in the record. */
export interface ContainedCommand {
  readonly argv: readonly string[];
  readonly permissions: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Chooses the walls. @throws LetheError `os` is demanded and impossible */
export async function chooseContainment(
  choice: SandboxChoice,
): Promise<{ containment: Containment; why: string }> {
  if (choice === "deno") {
    return { containment: "deno", why: "Deno's permissions alone, as --sandbox deno asks" };
  }
  const missing = await whyNoBubblewrap();
  if (missing === null) {
    return { containment: "bubblewrap", why: "bubblewrap and Deno's permissions" };
  }
  const [what, remedy] = missing;
  if (choice === "auto") return { containment: "deno", why: `Deno's permissions alone: ${what}` };
  throw new LetheError(`--sandbox os: ${what}`, "it needs bubblewrap", remedy);
}

async function whyNoBubblewrap(): Promise<[what: string, remedy: string] | null> {
  if (Deno.build.os !== "linux") {
    return [`no bubblewrap on ${Deno.build.os}`, "use --sandbox deno, or a Linux machine"];
  }
  const { code } = await shell("command -v bwrap");
  if (code !== 0) {
    return ["bubblewrap is not installed", "`apt-get install bubblewrap`, or --sandbox deno"];
  }
  const trial = await shell("exec bwrap --unshare-all --proc /proc --dev /dev --ro-bind / / true");
  if (trial.code === 0) return null;
  return [
    `bubblewrap may not make namespaces here (${trial.err.split("\n").at(-1)})`,
    "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, or " +
    "kernel.apparmor_restrict_unprivileged_userns=0), or --sandbox deno",
  ];
}

/** The command line of a contained program: wrapper, trace, bubblewrap, Deno. */
export async function containedCommand(
  containment: Containment,
  walls: Walls,
): Promise<ContainedCommand> {
  const { entry, args, read, write, denoDir, permissionLog, trace } = walls;
  for (const path of [...read, write]) refuseComma(path);
  const deno = Deno.execPath();
  const permissions = [
    "--no-prompt",
    "--cached-only",
    "--frozen",
    "--no-remote",
    ...readable([...read, write]),
    `--allow-write=${write}`,
  ];
  const environment = {
    DENO_DIR: denoDir,
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    // Deno and the drivers look for settings at home, and the Vulkan loader asks for the other.
    HOME: walls.runFolder,
    XDG_RUNTIME_DIR: walls.runFolder,
    // Compiled shaders are code: none are kept from run to run.
    MESA_SHADER_CACHE_DISABLE: "true",
    __GL_SHADER_DISK_CACHE: "0",
    ...(walls.drivers.length === 0 ? {} : { [LIBRARY_PATH]: walls.drivers.join(":") }),
    ...(permissionLog === null ? {} : { DENO_AUDIT_PERMISSIONS: permissionLog }),
  };
  const settings = ["--config", join(PROJECT, "deno.json"), "--lock", join(PROJECT, "deno.lock")];
  const program = [deno, "run", ...permissions, ...settings, entry, ...args];
  const walled = containment === "deno"
    ? [...libraryPath(environment), ...program]
    : ["bwrap", ...await bubblewrap(walls, environment), "--", ...program];
  if (containment === "bubblewrap") refuseTooMany(walled.length, read.length);
  const traced = trace === null ? walled : [...strace(trace), ...walled];
  return {
    argv: Deno.build.os === "windows" ? traced : withoutDescriptors(traced),
    permissions,
    environment,
  };
}

/** Bubblewrap's own limit on the words of its command line, however they are handed to it. */
const MOST_WORDS = 9000;

/** Each photograph that the worker may read takes three words. */
function refuseTooMany(words: number, files: number): void {
  if (words <= MOST_WORDS) return;
  const room = files - Math.ceil((words - MOST_WORDS) / 3);
  throw new LetheError(
    `${files} files to read in one run`,
    `bubblewrap takes ${MOST_WORDS} words, which is room for some ${room} files`,
    "hand in the photographs in several requests, or use --sandbox deno",
  );
}

/** Sets the linker's path for Deno alone; Deno itself, which starts the wrapper, would hand on none. */
function libraryPath(environment: Readonly<Record<string, string>>): string[] {
  const path = environment[LIBRARY_PATH];
  return path === undefined ? [] : ["env", `${LIBRARY_PATH}=${path}`];
}

/** Linux takes no argument of more than 128 KiB. */
const MAX_ARGUMENT = 100_000;

/** Flags that let paths be read, as many as their length needs. */
function readable(paths: readonly string[]): string[] {
  const flags: string[] = [];
  let some: string[] = [];
  let length = 0;
  for (const path of paths) {
    if (length > MAX_ARGUMENT) {
      flags.push(`--allow-read=${some.join(",")}`);
      [some, length] = [[], 0];
    }
    some.push(path);
    length += new TextEncoder().encode(path).length + 1;
  }
  return [...flags, `--allow-read=${some.join(",")}`];
}

/** Programs' own libraries and the graphics drivers'; read-only. */
const SYSTEM = [
  "/usr/lib",
  "/usr/lib64",
  "/etc/ld.so.cache",
  "/usr/share/vulkan",
  "/etc/vulkan",
  "/usr/share/drirc.d",
  "/usr/share/glvnd",
  "/usr/share/libdrm",
];
/** What the drivers of graphics cards look cards up in. */
const CARDS = ["/sys/dev/char", "/sys/devices", "/sys/bus/pci", "/sys/class/drm"];
/** The cards themselves. */
const DEVICES = [
  "/dev/dri",
  "/dev/nvidiactl",
  "/dev/nvidia0",
  "/dev/nvidia-modeset",
  "/dev/nvidia-uvm",
  "/dev/kfd",
  "/dev/dxg",
];

/** A world of its own: nothing is in it but what is named here, and no network. */
async function bubblewrap(
  { entry, modules, read, write, denoDir, drivers, permissionLog }: Walls,
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const same = (option: string, paths: readonly string[]) =>
    paths.flatMap((path) => [option, path, path]);
  const hasCards = await Deno.lstat("/dev/dri").then(() => true, () => false);
  return [
    ...["--unshare-all", "--clearenv", "--new-session", "--die-with-parent"],
    ...same("--ro-bind-try", SYSTEM),
    ...await linked("/lib"),
    ...await linked("/lib64"),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...same("--ro-bind", drivers),
    ...same("--dev-bind-try", DEVICES),
    ...(hasCards ? same("--ro-bind-try", CARDS) : []),
    ...same("--ro-bind", [
      Deno.execPath(),
      join(denoDir, "npm"),
      // A file where a folder would be: localStorage and the Cache API find no room.
      join(denoDir, "location_data"),
      ...projectFiles(PROJECT, modules),
      ...read,
    ]),
    ...same("--bind", [write, ...permissionLog ? [permissionLog] : []]),
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--chdir", dirname(entry)],
  ];
}

/** `/lib` is a link into `/usr` on most systems, a folder on others. */
async function linked(path: string): Promise<string[]> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null) return [];
  return info.isSymlink
    ? ["--symlink", await Deno.readLink(path), path]
    : ["--ro-bind", path, path];
}

/** Calls by which a program can come to a file, another program or the network. */
export const TRACED_CALLS = [
  ...["open", "openat", "openat2", "creat", "open_by_handle_at", "io_uring_setup"],
  ...["execve", "execveat", "connect", "ptrace", "process_vm_readv", "pidfd_getfd"],
  ...["mount", "open_tree", "move_mount"],
];

function strace(output: string): string[] {
  // From outside bubblewrap: the worker has no hold on the trace.
  const calls = ["-e", `trace=${TRACED_CALLS.map((call) => `?${call}`).join(",")}`];
  return ["strace", "-f", "-qq", "-y", "--seccomp-bpf", ...calls, "-o", output];
}
