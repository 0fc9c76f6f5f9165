import { Buffer } from "node:buffer";
import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { LetheError, UsageError } from "../error.ts";
import { beginLooking } from "../files/signal_look.ts";
import type { LetheBackend } from "./backend/lethe_backend.ts";
import { adapterName, findAdapter, WASM_ADAPTER } from "./adapter_name.ts";
import { DEVICE_CHOICES, type DeviceChoice, type Precision } from "./choices.ts";
import { watchDevice } from "./device_fault.ts";
import { setCard } from "./kernels/webgpu/card.ts";
import { lookAtKernels, turnOnReads } from "./event_loop.ts";
import { setPrecision } from "./precision.ts";

/** The device that all tensor work of this process runs on. */
export interface Device {
  /** Which of the two computes. */
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
 * @param anew starts WebGPU even where this process has a device that runs
 * @throws LetheError `webgpu` or half precision is asked for and there is no adapter
 * @throws UsageError `choice` is none of {@link DEVICE_CHOICES}, or half precision is asked of `wasm`
 */
export async function openDevice(
  choice: DeviceChoice,
  precision: Precision = "float32",
  anew = false,
): Promise<Device> {
  opened = await open(choice, precision, anew);
  return opened;
}

let opened: Device | undefined;

/** The device opened last, which the process computes on; undefined before the first. */
export function openedDevice(): Device | undefined {
  return opened;
}

async function open(
  choice: DeviceChoice,
  precision: Precision,
  anew: boolean,
): Promise<Device> {
  if (!DEVICE_CHOICES.includes(choice)) {
    throw new UsageError(`device "${choice}"`, `it is ${DEVICE_CHOICES.join(", ")}`, "take one");
  }
  if (choice === "wasm" && precision === "half") {
    throw new UsageError("half precision on WASM", "it needs WebGPU", "leave out one of the two");
  }
  const started = choice === "wasm" ? null : await startWebgpu(anew);
  if (started === null || "refusal" in started) {
    if (choice === "webgpu") {
      throw new LetheError(`--device webgpu: ${started!.refusal}`, "it needs one", REMEDY);
    }
    await openWasm();
    setPrecision(precision);
    return {
      backend: "wasm",
      adapter: WASM_ADAPTER,
      software: true,
      precision,
      ...(started ? { notice: `${started.refusal}: using WASM; to get one, ${REMEDY}` } : {}),
    };
  }
  await openWebgpu(started.backend);
  setPrecision(precision);
  setCard(!isSoftwareAdapter(started.info));
  const { info } = started;
  return {
    backend: "webgpu",
    adapter: adapterName(info),
    software: isSoftwareAdapter(info),
    precision,
  };
}

/** A backend on the adapter that WebGPU offers; or why there is none, in one line. */
async function startWebgpu(anew: boolean): Promise<
  { backend: LetheBackend; info: GPUAdapterInfo } | { refusal: string }
> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await findAdapter();
  } catch (error) {
    return { refusal: `no WebGPU adapter (${oneLine(error)})` };
  }
  if (adapter === null) return { refusal: "no WebGPU adapter" };
  if (running && !anew) return running;
  const { info } = adapter;
  try {
    const { openBackend } = await import("./backend/open_backend.ts");
    running = { backend: await openBackend(adapter), info };
    return running;
  } catch (error) {
    const name = info.description || info.device || "unnamed";
    return { refusal: `no WebGPU adapter that works (${name}: ${oneLine(error)})` };
  }
}

/** The WebGPU backend of this process, once it runs. */
let running: { backend: LetheBackend; info: GPUAdapterInfo } | undefined;

/** The backend that tfjs knows as WebGPU's, once it is Lethe's. */
let registered: LetheBackend | undefined;

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").trim();
}

async function openWebgpu(backend: LetheBackend): Promise<void> {
  // All tensor work belongs on the adapter, small tensors too: a result must not depend on their size.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  // Fewer, longer submissions: tfjs's 15 passes at a time cost a software adapter a fifth of its time.
  tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 64);
  if (registered !== backend) {
    // In place of the one that tfjs registers when it is loaded.
    tf.removeBackend("webgpu");
    const made = Promise.resolve(backend as unknown as tf.KernelBackend);
    tf.registerBackend("webgpu", () => made, 3);
  }
  await activate("webgpu");
  if (registered === undefined) (await import("./pieces/clone.ts")).registerClone();
  registered = backend;
  watchDevice(backend.device);
  const { registerWebgpuKernels } = await import("./kernels/webgpu/register.ts");
  registerWebgpuKernels();
}

/** tfjs keeps its backend for the life of the process. */
let wasmOpened = false;

async function openWasm(): Promise<void> {
  const [{ setWasmPaths }, { default: simd }] = await Promise.all([
    import("@tensorflow/tfjs-backend-wasm"),
    import("@tensorflow/tfjs-backend-wasm/simd.wasm", { with: { type: "bytes" } }),
    beginLooking(),
  ]);
  // A data: URL needs no permission, where a file or network path would.
  const url = `data:application/wasm;base64,${Buffer.from(simd).toString("base64")}`;
  setWasmPaths({
    "tfjs-backend-wasm.wasm": url,
    "tfjs-backend-wasm-simd.wasm": url,
    "tfjs-backend-wasm-threaded-simd.wasm": url,
  }, true);
  await activate("wasm");
  if (!wasmOpened) {
    turnOnReads(tf.backend());
    lookAtKernels(tf.backend() as BackendWasm);
  }
  wasmOpened = true;
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
