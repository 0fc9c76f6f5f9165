/**
 * Writes what is published: `deno run -A .github/package/make_package.ts FOLDER`.
 *
 * JSR refuses `with { type: "bytes" }`, which Deno has not made stable. In the copy each such import
 * is of a module that holds the same bytes in base64; all else is the repository's. Tests, fixtures
 * and tasks stay out: the commands and their proof need a clone, because a receipt names its files.
 */
import { dirname, join, relative } from "@std/path";

/** A static import of bytes. */
const STATIC = /import (\w+) from "([^"]+)" with \{ type: "bytes" \};/g;
/** An import of bytes in mid-expression, with the comma or bracket that ends it. */
const DYNAMIC = /import\("([^"]+)", \{ with: \{ type: "bytes" \} \}\)/g;

/** Folders of modules, and the files beside them. */
const FOLDERS = ["lib"];
const FILES = ["mod.ts", "README.md", "LICENSE", "deno.json"];

/** The modules of `lib` that import bytes to see whether a sandbox stops it: they stay as they are. */
const CANARIES = /^lib\/audit\/layers\/canar/;

/**
 * @param root the repository
 * @param out a folder that does not exist yet
 * @returns the specifiers whose bytes were written as modules
 */
export async function makePackage(root: string, out: string): Promise<string[]> {
  await Deno.mkdir(out);
  const embedded = new Map<string, string>();
  for (const file of FILES) await Deno.copyFile(join(root, file), join(out, file));
  for (const folder of FOLDERS) {
    for await (const path of filesBelow(join(root, folder))) {
      const name = relative(root, path).replaceAll("\\", "/");
      const target = join(out, name);
      await Deno.mkdir(dirname(target), { recursive: true });
      if (!name.endsWith(".ts") || CANARIES.test(name)) await Deno.copyFile(path, target);
      else {await Deno.writeTextFile(
          target,
          withModules(await Deno.readTextFile(path), name, embedded),
        );}
    }
  }
  await Deno.mkdir(join(out, "lib", "embedded"));
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  for (const [specifier, module] of embedded) {
    const { default: bytes } = await import(imports[specifier], { with: { type: "bytes" } });
    await Deno.writeTextFile(join(out, module), moduleOf(specifier, bytes));
  }
  return [...embedded.keys()].sort();
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* filesBelow(path);
    else yield path;
  }
}

/** The module's text with imports of bytes as imports of modules, whose paths `embedded` gains. */
function withModules(text: string, name: string, embedded: Map<string, string>): string {
  const moduleFor = (specifier: string) => {
    const module = `lib/embedded/${specifier.replace(/\W+/g, "_").replace(/^_/, "")}.ts`;
    embedded.set(specifier, module);
    const path = relative(dirname(name), module).replaceAll("\\", "/");
    return path.startsWith(".") ? path : `./${path}`;
  };
  return text
    .replace(STATIC, (_, value, specifier) => `import ${value} from "${moduleFor(specifier)}";`)
    .replace(DYNAMIC, (_, specifier) => `import("${moduleFor(specifier)}")`);
}

function moduleOf(specifier: string, bytes: Uint8Array): string {
  return [
    `/** The bytes of ${specifier}, made by .github/package/make_package.ts. */`,
    `const bytes: Uint8Array<ArrayBuffer> = Uint8Array.from(`,
    `  atob("${bytes.toBase64()}"),`,
    `  (letter: string) => letter.charCodeAt(0),`,
    `);`,
    `export default bytes;`,
    "",
  ].join("\n");
}

if (import.meta.main) {
  const [out] = Deno.args;
  if (out === undefined) {
    console.error("usage: deno run -A .github/package/make_package.ts FOLDER");
    Deno.exit(2);
  }
  for (const specifier of await makePackage(".", out)) console.log(`embedded ${specifier}`);
}
