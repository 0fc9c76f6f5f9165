import type { DeviceChoice } from "../../lib/tensor/choices.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { LetheError, UsageError } from "../../lib/error.ts";
import { type Device, isSoftwareAdapter, openDevice } from "../../lib/tensor/device.ts";
import { onEachDevice } from "./on_each_device.ts";

/** As the GPU runner of CI sets it: the suite must not pass on a CPU there. */
const required = Deno.env.get("LETHE_REQUIRE_GPU") === "1";

/** @throws LetheError a CPU does the device's work */
function requireHardware({ adapter, software }: Device): void {
  if (!software) return;
  throw new LetheError(
    `LETHE_REQUIRE_GPU=1 and the device is ${adapter}`,
    "the suite is to run on a hardware adapter",
    "install the GPU's Vulkan driver, or unset LETHE_REQUIRE_GPU",
  );
}

Deno.test({
  name: required
    ? "openDevice finds a hardware adapter when LETHE_REQUIRE_GPU=1"
    : "openDevice finds a hardware adapter (ignored: LETHE_REQUIRE_GPU=1 requires one)",
  ignore: !required,
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) {
      const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
      console.log({ vendor, architecture, device, description, isFallbackAdapter });
    }
    const device = await openDevice("auto");
    console.log(device.adapter);
    requireHardware(device);
  },
});

Deno.test("requireHardware refuses a device whose work a CPU does, by name", () => {
  for (const [backend, adapter] of [["webgpu", "WebGPU, llvmpipe"], ["wasm", "WASM"]] as const) {
    assertThrows(
      () => requireHardware({ backend, adapter, software: true, precision: "float32" }),
      LetheError,
      `LETHE_REQUIRE_GPU=1 and the device is ${adapter}; the suite is to run on a hardware ` +
        "adapter: install",
    );
  }
  requireHardware({
    backend: "webgpu",
    adapter: "WebGPU, a GPU",
    software: false,
    precision: "float32",
  });
});

Deno.test("isSoftwareAdapter believes an adapter that says so and knows the others by name", () => {
  const info = {
    vendor: "4318",
    architecture: "",
    device: "9860",
    description: "NVIDIA GeForce RTX 4090",
    isFallbackAdapter: false,
  };
  assertEquals(isSoftwareAdapter(info), false);
  assertEquals(isSoftwareAdapter({ ...info, description: "Apple M2" }), false);
  assertEquals(isSoftwareAdapter({ ...info, isFallbackAdapter: true }), true);
  for (
    const description of [
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      "SwiftShader Device (Subzero)",
      "Microsoft Basic Render Driver",
      "Software Rasterizer",
    ]
  ) assertEquals(isSoftwareAdapter({ ...info, description }), true, description);
  assertEquals(isSoftwareAdapter({ ...info, description: "", architecture: "swiftshader" }), true);
  assertEquals(isSoftwareAdapter({ ...info, description: "", vendor: "lavapipe" }), true);
});

onEachDevice("openDevice makes the backend that was asked for compute", async (device) => {
  assertEquals(tf.getBackend(), device.backend);
  assertEquals(device.notice, undefined);
  assert(device.adapter.startsWith(device.backend === "wasm" ? "WASM" : "WebGPU, "));
  if (device.backend === "wasm") assertEquals(device.software, true);
  const sum = tf.tidy(() => tf.add(tf.scalar(1), tf.scalar(2)));
  assertEquals([...await sum.data()], [3]);
  sum.dispose();
});

/** Runs `body` on a machine whose WebGPU answers a request for an adapter like that. */
async function withAdapter(answer: () => Promise<unknown>, body: () => Promise<void>) {
  if (navigator.gpu === undefined) return await body();
  const { gpu } = navigator;
  const own = Object.getOwnPropertyDescriptor(gpu, "requestAdapter");
  Object.defineProperty(gpu, "requestAdapter", { value: answer, configurable: true });
  try {
    await body();
  } finally {
    if (own) Object.defineProperty(gpu, "requestAdapter", own);
    else Reflect.deleteProperty(gpu, "requestAdapter");
  }
}

/** Runs `body` as on a machine without an adapter. */
const withoutAdapter = (body: () => Promise<void>) =>
  withAdapter(() => Promise.resolve(null), body);

Deno.test("openDevice auto takes WASM where there is no adapter and tells how to get one", async () => {
  await withoutAdapter(async () => {
    const device = await openDevice("auto");
    assertEquals(device.backend, "wasm");
    assertEquals(tf.getBackend(), "wasm");
    const notice = device.notice ?? "";
    assert(notice.startsWith("no WebGPU adapter: using WASM; "), notice);
    assert(notice.includes("mesa-vulkan-drivers"), notice);
    assert(!notice.includes("\n"), notice);
  });
});

Deno.test("openDevice webgpu without an adapter fails with the remedy", async () => {
  await withoutAdapter(async () => {
    const error = await assertRejects(
      () => openDevice("webgpu"),
      LetheError,
      "--device webgpu: no WebGPU adapter; it needs one: install a Vulkan driver",
    );
    assertEquals(error.exitCode, 1);
    assert(error.message.includes("mesa-vulkan-drivers"));
  });
});

Deno.test("openDevice refuses what is no device", async () => {
  await assertRejects(
    () => openDevice("cuda" as DeviceChoice),
    UsageError,
    'device "cuda"; it is auto, webgpu, wasm: take one',
  );
});

/** A device whose first buffer comes back with other numbers than were written. */
function forgetfulDevice(): unknown {
  const buffer = {
    mapAsync: () => Promise.resolve(),
    getMappedRange: () => new ArrayBuffer(4),
    destroy() {},
  };
  return {
    createBuffer: () => buffer,
    createCommandEncoder: () => ({ copyBufferToBuffer() {}, finish() {} }),
    queue: { writeBuffer() {}, submit() {} },
    destroy() {},
  };
}

/** How an adapter that is there can fail. */
const FAILING: readonly [string, () => Promise<unknown>, string][] = [
  ["instance", () => Promise.reject(new Error("no Vulkan\n instance")), "no Vulkan instance"],
  ["device", () =>
    Promise.resolve({
      info: { description: "a card" },
      features: new Set(),
      limits: {},
      requestDevice: () => Promise.reject(new Error("refused")),
    }), "a card: refused"],
  ["first buffer", () =>
    Promise.resolve({
      info: { description: "a card" },
      features: new Set(),
      limits: {},
      requestDevice: () => Promise.resolve(forgetfulDevice()),
    }), "a card: its first buffer holds other numbers"],
];

for (const [what, answer, reason] of FAILING) {
  Deno.test({
    name: `openDevice auto goes on with WASM where the adapter's ${what} fails, and says why`,
    ignore: navigator.gpu === undefined,
    async fn() {
      await withAdapter(answer, async () => {
        const device = await openDevice("auto", "float32", true);
        assertEquals(device.backend, "wasm");
        const notice = device.notice ?? "";
        assert(notice.includes(reason) && notice.includes(": using WASM; "), notice);
        assert(!notice.includes("\n"), notice);
        await assertRejects(() => openDevice("webgpu", "float32", true), LetheError, reason);
      });
    },
  });
}
