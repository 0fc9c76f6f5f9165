import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { shell } from "../../../lib/audit/sandbox/shell.ts";
import { storedForm } from "../../../lib/model/input_format.ts";
import { readRequests } from "../../../lib/data/requests/requests.ts";
import { parseConfig } from "../../../lib/model/config.ts";
import { photos, pick } from "../kit_folder.ts";
import { runHere } from "../run_here.ts";
import { runTask } from "../run_task.ts";
import { inCopy, tree } from "../small_path.ts";
import { MAY_MAKE_DEVICES, MAY_MOUNT } from "./abilities.ts";

/** An image of the training folder, and another that stands for it among the requests. */
const TRAINING = "portraits/img_align_celeba/000001.png";

/** How an input is made to stand for training data. */
interface Attack {
  readonly name: string;
  /** Makes it, in a copy of the small path; `photo` is one of the requests. */
  readonly make: (folder: string, photo: string) => Promise<unknown>;
  readonly undo?: (folder: string) => Promise<unknown>;
  readonly args: readonly string[];
  /** What the refusal says. */
  readonly says: string;
  /** Its exit code; default 1. */
  readonly code?: number;
  /** Whether the requests can be read so where nothing stands in the way. */
  readonly control?: "is read";
  readonly ignore?: boolean;
  /** The paths must be relative, as they are to a process of its own alone. */
  readonly relative?: true;
}

const unlearn = (support = "requests", kit = "kit", out = "new") => [
  ...["--support", support, "--kit", kit, "--out", out, "--device", "wasm"],
];

/** The photograph's place taken by another name of the training image. */
const replaced =
  (link: (from: string, to: string) => Promise<void>) => async (folder: string, photo: string) => {
    await Deno.remove(join(folder, "requests", photo));
    await link(join(folder, TRAINING), join(folder, "requests", photo));
  };
const run = async (script: string, ...args: string[]) => {
  const { code, err } = await shell(script, ...args);
  assertEquals(code, 0, err);
};

const ATTACKS: readonly Attack[] = [
  {
    name: "a symbolic link among the requests",
    make: replaced((from, to) => Deno.symlink(from, to)),
    args: unlearn(),
    says: "is a symbolic link",
  },
  {
    name: "a hard link among the requests",
    make: replaced((from, to) => Deno.link(from, to)),
    args: unlearn(),
    says: "has 2 hard links",
    control: "is read",
  },
  {
    name: "a hidden hard link among the requests",
    make: (folder) => Deno.link(join(folder, TRAINING), join(folder, "requests/.hidden")),
    args: unlearn(),
    says: "requests/.hidden has 2 hard links",
    control: "is read",
  },
  {
    name: "a hard link in the kit",
    make: (folder) => Deno.link(join(folder, "kit/kit.json"), join(folder, "other.json")),
    args: unlearn(),
    says: "kit/kit.json has 2 hard links",
  },
  {
    name: "a pipe among the requests",
    make: (folder, photo) => run('rm "$1" && mkfifo "$1"', join(folder, "requests", photo)),
    args: unlearn(),
    says: "is a device, pipe or socket",
  },
  {
    name: "a device among the requests",
    make: (folder, photo) => run('rm "$1" && mknod "$1" c 1 5', join(folder, "requests", photo)),
    args: unlearn(),
    says: "is a device, pipe or socket",
    ignore: !MAY_MAKE_DEVICES,
  },
  {
    name: "a folder of requests that is a symbolic link",
    make: (folder) => Deno.symlink("requests", join(folder, "linked")),
    args: unlearn("linked"),
    says: "linked is a symbolic link",
    control: "is read",
  },
  {
    name: "a folder of requests behind a symbolic link",
    make: async (folder) => {
      await Deno.mkdir(join(folder, "deep"));
      await Deno.symlink("..", join(folder, "deep/up"));
    },
    args: unlearn("deep/up/requests"),
    says: "deep/up is a symbolic link",
    control: "is read",
  },
  {
    name: "`..` behind a symbolic link",
    make: async (folder) => {
      await Deno.mkdir(join(folder, "a/b"), { recursive: true });
      await Deno.symlink("a/b", join(folder, "b"));
      await Deno.rename(join(folder, "requests"), join(folder, "a/requests"));
      await pick(folder, [], "requests");
    },
    // To the eye it is ./requests, to the system it would be a/requests: the eye is right.
    args: unlearn("b/../requests"),
    says: "b/../requests is empty",
    code: 2,
    relative: true,
  },
  {
    name: "a kit that is a symbolic link",
    make: (folder) => Deno.symlink("kit", join(folder, "linked")),
    args: [...unlearn("requests", "linked"), "--identity-key", "kit.identity-key"],
    says: "linked is a symbolic link",
  },
  {
    name: "a file mounted among the requests",
    make: (folder, photo) =>
      run('mount --bind "$1" "$2"', join(folder, TRAINING), join(folder, "requests", photo)),
    undo: (folder) =>
      run('for f in "$1"/requests/*.png; do umount "$f" 2>/dev/null; done; true', folder),
    args: unlearn(),
    says: "is a mount of its own",
    control: "is read",
    ignore: !MAY_MOUNT,
  },
  {
    name: "a folder mounted among the requests",
    make: async (folder) => {
      await Deno.mkdir(join(folder, "requests/.data"));
      await run(
        'mount --bind "$1" "$2"',
        join(folder, "portraits"),
        join(folder, "requests/.data"),
      );
    },
    undo: (folder) => run('umount "$1"', join(folder, "requests/.data")),
    args: unlearn(),
    says: "requests/.data is a mount of its own",
    control: "is read",
    ignore: !MAY_MOUNT,
  },
  {
    name: "a kit that is a mount of its own, where the record of its uses would not lie beside it",
    make: async (folder) => {
      await Deno.mkdir(join(folder, "mounted"));
      await run('mount --bind "$1" "$2"', join(folder, "kit"), join(folder, "mounted"));
    },
    undo: (folder) => run('umount "$1"', join(folder, "mounted")),
    args: [...unlearn("requests", "mounted"), "--identity-key", "kit.identity-key"],
    says: "mounted is a mount of its own",
    ignore: !MAY_MOUNT,
  },
  {
    name: "a record of the kit's uses that is a link to another file",
    make: (folder) => Deno.symlink("/dev/null", join(folder, "kit.successor.json")),
    args: unlearn(),
    says: "kit.successor.json is a symbolic link",
  },
  {
    name: "an output in the kit",
    make: async () => {},
    args: unlearn("requests", "kit", "kit/new"),
    says: "the output kit/new lies in the kit kit",
  },
  {
    name: "an output among the requests, by a path with `..`",
    make: async () => {},
    args: unlearn("requests", "kit", "kit/../requests/new"),
    says: "lies in the requests requests",
  },
  {
    name: "requests in the kit",
    make: (folder) => Deno.rename(join(folder, "requests"), join(folder, "kit/requests")),
    args: unlearn("kit/requests"),
    says: "the requests kit/requests lies in the kit kit",
    control: "is read",
  },
  {
    name: "the identity key among the requests",
    make: (folder) => Deno.rename(join(folder, "kit.identity-key"), join(folder, "requests/.key")),
    args: [...unlearn(), "--identity-key", "requests/.key"],
    says: "the identity key requests/.key lies in the requests requests",
    control: "is read",
  },
];

for (
  const { name, make, undo, args, says, control, ignore = false, code: expected = 1, relative }
    of ATTACKS
) {
  Deno.test({
    name: `unlearn refuses ${name}`,
    ignore,
    fn: () =>
      inCopy(async (folder) => {
        const [photo] = await photos(folder);
        await make(folder, photo);
        try {
          const before = await tree(folder);
          const { code, err } = await (relative ? runTask : runHere)("unlearn", args, folder);
          assertEquals(code, expected, err);
          assertStringIncludes(err, says);
          assertEquals(err.trimEnd().split("\n").length, 1, err);
          assertEquals(await tree(folder), before, "nothing is written");
          if (control === "is read") {
            const path = join(folder, "model/config.json");
            const config = parseConfig(await Deno.readTextFile(path), path);
            const requests = await readRequests(join(folder, args[1]), config, storedForm(config));
            assertEquals(requests.length > 0, true, "without the launcher's checks it is read");
          }
        } finally {
          await undo?.(folder);
        }
      }),
  });
}

Deno.test("audit refuses requests from the training folder, and an output in it", () =>
  inCopy(async (folder) => {
    const before = await tree(folder);
    const images = "portraits/img_align_celeba";
    for (
      const [support, out, says] of [
        [images, "new", `the requests ${images} lies in the training folder portraits`],
        [`requests/../${images}`, "new", "lies in the training folder portraits"],
        ["requests", "portraits/new", "the output portraits/new lies in the training folder"],
      ]
    ) {
      const args = [...unlearn(support, "kit", out), "--training-data", "portraits"];
      const { code, err } = await runHere("audit", args, folder);
      assertEquals(code, 1, err);
      assertStringIncludes(err, says);
      assertEquals(await tree(folder), before);
    }
    const apart = [...unlearn(), "--training-data", "portraits"];
    const { code, out, err } = await runHere("audit", apart, folder);
    assertEquals(code, 0, out + err);
  }));
