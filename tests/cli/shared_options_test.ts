import { assertEquals } from "@std/assert";
import { openAndAnnounce } from "../../cli/options/shared_options.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

Deno.test("openAndAnnounce names the device apart from the results", async () => {
  const terminal = recordedTerminal();
  const device = await openAndAnnounce("wasm", terminal);
  assertEquals(device.backend, "wasm");
  assertEquals(terminal.printed, []);
  assertEquals(terminal.noted, ["device: WASM (SIMD, one thread) (on the CPU)"]);
});
