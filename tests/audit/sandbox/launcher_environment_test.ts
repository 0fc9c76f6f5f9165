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

Deno.test("ordersLinker knows every name that Deno guards, and no other", () => {
  const guarded = ["LD_PRELOAD", "ld_audit", "LD_RUN_PATH", "DYLD_INSERT_LIBRARIES", " LD_X"];
  assertEquals(guarded.filter((name) => !ordersLinker(name)), []);
  assertEquals(["LD", "LDFLAGS", "OLD_PATH", "PATH"].filter(ordersLinker), []);
});
