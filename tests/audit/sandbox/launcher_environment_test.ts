import { assertEquals } from "@std/assert";
import { ordersLinker, parseEnvironment } from "../../../lib/audit/sandbox/launcher_environment.js";

Deno.test("parseEnvironment reads every entry that is text, values with = and line breaks too", () => {
  const bytes = new TextEncoder().encode("A=1\0B=x=y\nz\0=odd\0plain\0E=\0C=\u00fc\0");
  const broken = new Uint8Array([...bytes, 0x44, 0x3d, 0xff, 0, 0x5a, 0x3d, 0x31]);
  assertEquals([...parseEnvironment(broken)], [
    ["A", "1"],
    ["B", "x=y\nz"],
    ["E", ""],
    ["C", "ü"],
    ["Z", "1"],
  ]);
});

// Where sh is bash, a function called cat would answer for the system's own list of mounts.
Deno.test({
  name:
    "withoutLinkerOrders hands on nothing that runs other code in a shell, in Deno or in the linker",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const orders = {
      ...{
        "BASH_FUNC_cat%%": "() { echo forged\n}",
        BASH_ENV: "/x",
        ENV: "/x",
        SHELLOPTS: "xtrace",
      },
      ...{ BASHOPTS: "x", PS4: "$(x)", NODE_OPTIONS: "--no-warnings", DENO_V8_FLAGS: "--no-opt" },
    };
    const module = new URL(
      "../../../lib/audit/sandbox/launcher_environment.js",
      import.meta.url,
    );
    const { stdout, code } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--no-config"],
        `import { withoutLinkerOrders } from ${JSON.stringify(module.href)};
         console.log(JSON.stringify((await withoutLinkerOrders()).env));`,
      ],
      env: { ...orders, LETHE_KEPT: "kept", ENVIRONMENT: "kept" },
      stderr: "null",
    }).output();
    assertEquals(code, 0);
    const kept = JSON.parse(new TextDecoder().decode(stdout).trimEnd());
    assertEquals(Object.keys(orders).filter((name) => name in kept), []);
    assertEquals([kept.LETHE_KEPT, kept.ENVIRONMENT], ["kept", "kept"], "the control");
  },
});

Deno.test("ordersLinker knows every name that Deno guards, and no other", () => {
  const guarded = ["LD_PRELOAD", "ld_audit", "LD_RUN_PATH", "DYLD_INSERT_LIBRARIES", " LD_X"];
  assertEquals(guarded.filter((name) => !ordersLinker(name)), []);
  assertEquals(["LD", "LDFLAGS", "OLD_PATH", "PATH"].filter(ordersLinker), []);
});
