import { Buffer } from "node:buffer";
import * as tf from "@tensorflow/tfjs";
import { LetheError, UsageError } from "../error.ts";
import { watchDevice } from "./device_fault.ts";
import { setCard } from "./kernels/webgpu/card.ts";
import { type Precision, setPrecision } from "./precision.ts";

/** What `--device` takes. */
export const DEVICE_CHOICES = ["auto", "webgpu", "wasm"] as const;
/** One of {@link DEVICE_CHOICES}. */
export type DeviceChoice = typeof DEVICE_CHOICES[number];

/** The device that all tensor work of this process runs on. */
export interface Device {
  readonly backend: "webgpu" | "wasm";
  /** One line for people: `WebGPU, NVIDIA GeForce RTX 4090` or `WASM (SIMD, one thread)`. */
  readonly adapter: string;
  /** Whether a CPU does the work: WASM, or a software WebGPU adapter such as lavapipe. */
  readonly software: boolean;
  /** In what numbers products read their operands; part of what makes a run repeat. */
  readonly precision: Precision;
  /** Why `auto` did not take WebGPU, and the remedy; absent otherwise. */
  readonly notice?: string;
}

const REMEDY =
  "install a Vulkan driver (on Debian, `apt-get install mesa-vulkan-drivers` gives a " +
  "software adapter)";

/** Names of adapters that compute on the CPU. */
const SOFTWARE_ADAPTER = /llvmpipe|lavapipe|swiftshader|softpipe|software|basic render|\bwarp\b/i;

/** Whether a CPU does the adapter's work: it says so itself, or it is known by name. */
export function isSoftwareAdapter(
  info: Pick<
    GPUAdapterInfo,
    "vendor" | "architecture" | "device" | "description" | "isFallbackAdapter"
  >,
): boolean {
  const { vendor, architecture, device, description } = info;
  return info.isFallbackAdapter ||
    SOFTWARE_ADAPTER.test([vendor, architecture, device, description].join(" "));
}

/**
 * Makes a tfjs backend the active one, registers Lethe's kernels for it and chooses the precision.
 *
 * `auto` takes the WebGPU adapter where there is one, or else tfjs's WASM backend. Neither needs a
 * Deno permission.
 *
 * @throws LetheError `webgpu` or half precision is asked for and there is no adapter
 * @throws UsageError `choice` is none of {@link DEVICE_CHOICES}, or half precision is asked of `wasm`
 */
export async function openDevice(
  choice: DeviceChoice,
  precision: Precision = "float32",
): Promise<Device> {
  opened = await open(choice, precision);
  return opened;
}

let opened: Device | undefined;

/** The device opened last, which the process computes on; undefined before the first. */
export function openedDevice(): Device | undefined {
  return opened;
}

async function open(choice: DeviceChoice, precision: Precision): Promise<Device> {
  if (!DEVICE_CHOICES.includes(choice)) {
    throw new UsageError(`device "${choice}"`, `it is ${DEVICE_CHOICES.join(", ")}`, "take one");
  }
  if (choice === "wasm" && precision === "half") {
    throw new UsageError("half precision on WASM", "it needs WebGPU", "leave out one of the two");
  }
  const adapter = choice === "wasm" ? null : await findAdapter();
  if (adapter === null) {
    if (choice === "webgpu") {
      throw new LetheError("--device webgpu: no WebGPU adapter", "it needs one", REMEDY);
    }
    await openWasm();
    setPrecision(precision);
    const notice = choice === "auto"
      ? `no WebGPU adapter: using WASM; to get one, ${REMEDY}`
      : null;
    return {
      backend: "wasm",
      adapter: "WASM (SIMD, one thread)",
      software: true,
      precision,
      ...(notice ? { notice } : {}),
    };
  }
  await openWebgpu();
  setPrecision(precision);
  setCard(!isSoftwareAdapter(adapter.info));
  const name = adapter.info.description || adapter.info.device || adapter.info.vendor || "unnamed";
  return {
    backend: "webgpu",
    adapter: `WebGPU, ${name}`,
    software: isSoftwareAdapter(adapter.info),
    precision,
  };
}

async function findAdapter(): Promise<GPUAdapter | null> {
  if (navigator.gpu === undefined) return null;
  return await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
}

async function openWebgpu(): Promise<void> {
  await import("@tensorflow/tfjs-backend-webgpu");
  // All tensor work belongs on the adapter, small tensors too: a result must not depend on their size.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  // Fewer, longer submissions: tfjs's 15 passes at a time cost a software adapter a fifth of its time.
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 64);
  await activate("webgpu");
  watchDevice((tf.backend() as unknown as { device: GPUDevice }).device);
  const { registerWebgpuKernels } = await import("./kernels/webgpu/register.ts");
  registerWebgpuKernels();
}

async function openWasm(): Promise<void> {
  const [{ setWasmPaths }, { default: simd }] = await Promise.all([
    import("@tensorflow/tfjs-backend-wasm"),
    import("@tensorflow/tfjs-backend-wasm/simd.wasm", { with: { type: "bytes" } }),
  ]);
  // A data: URL needs no permission, where a file or network path would.
  const url = `data:application/wasm;base64,${Buffer.from(simd).toString("base64")}`;
  setWasmPaths({
    "tfjs-backend-wasm.wasm": url,
    "tfjs-backend-wasm-simd.wasm": url,
    "tfjs-backend-wasm-threaded-simd.wasm": url,
  }, true);
  await activate("wasm");
  const { registerWasmKernels } = await import("./kernels/webgpu/register.ts");
  registerWasmKernels();
}

async function activate(backend: "webgpu" | "wasm"): Promise<void> {
  if (!await tf.setBackend(backend)) {
    throw new LetheError(
      `tfjs's ${backend} backend did not start`,
      "Lethe needs it",
      backend === "webgpu" ? "try --device wasm" : "check that this Deno runs WebAssembly SIMD",
    );
  }
  await tf.ready();
}
