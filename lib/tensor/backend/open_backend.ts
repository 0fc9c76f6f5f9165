import { LetheBackend } from "./lethe_backend.ts";
import { TENSOR_USAGE } from "./tensor_data.ts";

/** Limits that Lethe's kernels can use more of than WebGPU grants by default. */
const LIMITS = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/** What an adapter may have besides. */
const FEATURES = ["timestamp-query", "shader-f16"] as const;

/**
 * A backend on an adapter, with all that this has of what kernels use, after a first buffer came back
 * as it was written: an adapter that is there need not work.
 *
 * @throws what the adapter, its device or its first buffer failed with
 */
export async function openBackend(adapter: GPUAdapter): Promise<LetheBackend> {
  const device = await adapter.requestDevice({
    requiredFeatures: FEATURES.filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(
      LIMITS.flatMap((name) => {
        const limit = adapter.limits[name];
        return limit === undefined ? [] : [[name, limit]];
      }),
    ),
  });
  try {
    await tryBuffer(device);
  } catch (error) {
    device.destroy();
    throw error;
  }
  return new LetheBackend(device, adapter.info);
}

/** Writes a buffer, copies it and reads it. */
async function tryBuffer(device: GPUDevice): Promise<void> {
  const written = 0x4c657468;
  const buffer = device.createBuffer({ size: 4, usage: TENSOR_USAGE });
  const staging = device.createBuffer({
    size: 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, new Uint32Array([written]));
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [read] = new Uint32Array(staging.getMappedRange());
  if (read !== written) throw new Error("its first buffer holds other numbers than were written");
  for (const each of [buffer, staging]) each.destroy();
}
