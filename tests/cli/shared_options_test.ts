import { assertEquals } from "@std/assert";
import { openAndAnnounce, softwareHint } from "../../cli/options/shared_options.ts";
import { recordedTerminal } from "./recorded_terminal.ts";

Deno.test("openAndAnnounce names the device apart from the results", async () => {
  const terminal = recordedTerminal();
  const device = await openAndAnnounce("wasm", terminal);
  assertEquals(device.backend, "wasm");
  assertEquals(terminal.printed, []);
  assertEquals(terminal.noted, ["device: WASM (SIMD, one thread) (on the CPU)"]);
});

Deno.test("softwareHint tells of a software adapter what is quicker, and of a card or WASM nothing", () => {
  assertEquals(
    softwareHint({ backend: "webgpu", software: true }),
    "this adapter is software, no graphics card: on few cores --device wasm is quicker",
  );
  assertEquals(softwareHint({ backend: "webgpu", software: false }), null);
  assertEquals(softwareHint({ backend: "wasm", software: true }), null);
});
