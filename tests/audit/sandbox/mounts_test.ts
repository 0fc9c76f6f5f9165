import { assert, assertEquals } from "@std/assert";
import {
  isWithin,
  overlap,
  parseMounts,
  placeOf,
  withinAny,
} from "../../../lib/audit/sandbox/mounts.ts";

const MOUNTS = parseMounts([
  "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
  "30 22 8:2 /home /home rw - ext4 /dev/sdb1 rw",
  "31 22 8:1 /srv/data /home/me/my\\040requests rw - ext4 /dev/sda1 rw",
  "32 22 0:44 / /home/me/my\\040requests/deep rw - tmpfs tmpfs rw",
].join("\n"));

Deno.test("parseMounts reads mountinfo, escapes included", () => {
  assertEquals(MOUNTS[2], { device: "8:1", root: "/srv/data", point: "/home/me/my requests" });
});

Deno.test("placeOf finds one place for two paths to one folder", () => {
  assertEquals(placeOf("/srv/data/a", MOUNTS), { device: "8:1", path: "/srv/data/a" });
  assertEquals(placeOf("/home/me/my requests/a", MOUNTS), { device: "8:1", path: "/srv/data/a" });
  assertEquals(placeOf("/home/me", MOUNTS), { device: "8:2", path: "/home/me" });
  assertEquals(placeOf("/home/me/my requests/deep/x", MOUNTS), { device: "0:44", path: "/x" });
});

Deno.test("withinAny says of many folders what isWithin says of each", () => {
  const folders = ["/a/b", "/c", "{kit}", "C:\\d"];
  const paths = [
    "/a",
    "/a/b",
    "/a/bc",
    "/a/b/c/d",
    "/c/",
    "/cc",
    "{kit}/x",
    "{kit}x",
    "C:\\d\\e",
    "",
    "/",
  ];
  for (const path of paths) {
    const each = folders.some((folder) => isWithin(path, folder));
    assertEquals(withinAny(folders)(path), each, path);
  }
  assert(withinAny(["/"])("anything"));
  assert(!withinAny([])("/a"));
});

Deno.test("overlap sees through a bind mount, and isWithin takes whole names only", () => {
  const [bound, data] = ["/home/me/my requests", "/srv/data"].map((path) => placeOf(path, MOUNTS));
  assertEquals(overlap(bound, data), true);
  assertEquals(overlap(placeOf("/srv", MOUNTS), bound), true);
  assertEquals(overlap(placeOf("/srv/database", MOUNTS), data), false);
  assertEquals([isWithin("/a/b", "/a"), isWithin("/ab", "/a"), isWithin("/a", "/")], [
    true,
    false,
    true,
  ]);
});
