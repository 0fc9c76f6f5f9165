import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join, relative } from "@std/path";

const PROJECT = fromFileUrl(new URL("../../", import.meta.url));

/** Rooms from the ground floor up; a room imports from rooms below it, and of those beside it from none. */
const FLOORS = [
  ["lib/files", "lib/threads", "lib"],
  ["lib/tensor"],
  ["lib/data"],
  ["lib/model", "lib/measure"],
  ["lib/unlearn"],
  ["lib/run"],
  ["lib/audit", "lib/selfcheck", "lib/benchmark", "lib/bench"],
  ["lib/report", "lib/inspect"],
  ["", "cli"],
  ["tasks"],
];
/** Files of the ground floor that every room may import, and what they may import themselves. */
const GROUND = FLOORS[0];

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(PROJECT, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (isDirectory) yield* files(path);
    else yield path;
  }
}

const code: string[] = ["mod.ts"];
for (const room of ["lib", "cli", "tasks"]) {
  for await (const path of files(room)) if (path.endsWith(".ts")) code.push(path);
}

/** Project files that a file imports, those of types included. */
async function importsOf(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(PROJECT, path));
  const found = text.matchAll(
    /^(?:import|export)\b[^"';]*?from\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm,
  );
  return [...found].map(([, fixed, called]) =>
    relative(PROJECT, join(PROJECT, dirname(path), fixed ?? called)).replaceAll("\\", "/")
  ).filter((target) => target.endsWith(".ts"));
}

const imports = new Map(
  await Promise.all(code.map(async (path) => [path, await importsOf(path)] as const)),
);

function roomOf(path: string): string {
  const parts = path.split("/");
  return parts.length === 1
    ? ""
    : parts[0] !== "lib" || parts.length === 2
    ? parts[0]
    : `lib/${parts[1]}`;
}

Deno.test("rooms import downwards only", () => {
  const floor = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));
  const wrong: string[] = [];
  for (const [path, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [roomOf(path), roomOf(target)];
      const grounded = GROUND.includes(from) && GROUND.includes(to);
      if (floor(from) < 0 || floor(to) < 0) wrong.push(`${path} -> ${target}: no such room`);
      else if (from !== to && floor(to) >= floor(from) && !grounded) {
        wrong.push(`${path} -> ${target}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("imports go in no circle", () => {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    assertEquals(start, -1, `${[...way.slice(start), path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
});

Deno.test("folders hold at most 25 files", async () => {
  const counts = new Map<string, number>();
  for (const top of ["lib", "cli", "tasks", "tests"]) {
    for await (const path of files(top)) {
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    }
  }
  assertEquals([...counts].filter(([, count]) => count > 25), []);
});
