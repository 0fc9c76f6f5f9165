import { assertEquals } from "@std/assert";
import { faultBehind } from "../../lib/tensor/device_fault.ts";

const MODULE = new URL("../../lib/tensor/device_fault.ts", import.meta.url).href;
/** In a process of its own, since a fault is for good: a device that tells late that it was lost. */
const SCRIPT = `
  import { faultBehind, watchDevice } from ${JSON.stringify(MODULE)};
  globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());
  const { promise: lost, resolve } = Promise.withResolvers();
  watchDevice(Object.assign(new EventTarget(), { lost }));
  setTimeout(() => resolve({ message: "a reset" }), 20);
  const told = await faultBehind(new Error("a buffer is invalid"));
  console.log(told.value);
`;

Deno.test("faultBehind tells of a lost device in place of what its loss led to", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", SCRIPT],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertEquals(new TextDecoder().decode(stdout).trim(), "the WebGPU device was lost (a reset)");
});

Deno.test("faultBehind leaves an error alone where no device is at fault", async () => {
  const own = new Error("a typing error");
  assertEquals(await faultBehind(own), own);
});
