import { type TensorInfo, util } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

/** A WGSL program: what tfjs needs to compile it once and run it on tensors. */
export interface KernelProgram {
  /** Everything that the code depends on; equal keys share one compiled pipeline. */
  readonly key: string;
  /** Names of the inputs in the code. */
  readonly inputs: readonly string[];
  /** Numbers per element, of each input and then of the result: 1 is the default, 4 is `vec4<f32>`. */
  readonly widths?: readonly (1 | 2 | 4)[];
  /** Of each input, whether it is integers to be read as such (pairs of halves); else it is floats. */
  readonly words?: readonly boolean[];
  readonly workgroupSize: readonly [number, number, number];
  readonly workgroups: readonly [number, number, number];
  readonly outputShape: readonly number[];
  /** Further float32 tensors that it fills, by their names in the code, with numbers per element. */
  readonly writes?: readonly { readonly name: string; readonly width: 1 | 4 }[];
  /** `float32` where it is left out. */
  readonly outputType?: "float32" | "int32";
  /**
   * WGSL with a `fn main()`; it writes to `result`. Sees `globalId`, `workgroupId`, `localId`. A
   * function where writing it takes long: it is called only to compile.
   */
  readonly code: string | (() => string);
  /** Numbers that change from run to run, in WGSL's `uniforms.name`. */
  readonly uniforms?: readonly {
    readonly name: string;
    readonly type: "f32" | "i32";
    readonly value: number;
  }[];
}

/**
 * Compiles (once) and queues a program on tfjs's WebGPU backend.
 *
 * @param output to write into, where several programs fill one tensor; else it is made here
 * @param written what `writes` fills, made by the caller
 * @returns the output, owned by the caller
 */
export function runProgram(
  backend: WebGPUBackend,
  program: KernelProgram,
  inputs: readonly TensorInfo[],
  output?: TensorInfo,
  written: readonly TensorInfo[] = [],
): TensorInfo {
  const floats = inputs.map((info, i) =>
    program.words?.[i] || isFloat(backend, info) ? info : toFloat(backend, info)
  );
  const result = queue(backend, program, floats, output, written);
  release(backend, ...floats.filter((info, i) => info !== inputs[i]));
  return result;
}

/** tfjs's cast to float32 changes a tensor's type but not its integers in the buffer. */
function isFloat(backend: WebGPUBackend, { dataId }: TensorInfo): boolean {
  return backend.tensorMap.get(dataId).dtype === "float32";
}

function toFloat(backend: WebGPUBackend, info: TensorInfo): TensorInfo {
  const count = info.shape.reduce((a, b) => a * b, 1);
  return queue(backend, {
    key: "to float",
    inputs: ["X"],
    workgroupSize: [64, 1, 1],
    workgroups: cover(count, 64),
    outputShape: info.shape,
    uniforms: [{ name: "count", type: "i32", value: count }],
    code: `fn main() {
      let i = ${flatIndex(64)};
      if (i < uniforms.count) { result[i] = f32(X[i]); }
    }`,
  }, [info]);
}

function queue(
  backend: WebGPUBackend,
  program: KernelProgram,
  inputs: readonly TensorInfo[],
  output?: TensorInfo,
  written: readonly TensorInfo[] = [],
): TensorInfo {
  const { key, workgroups, workgroupSize, outputShape, code, uniforms = [], widths, writes = [] } =
    program;
  const count = inputs.length;
  // tfjs knows one output. The others go as inputs that nothing reads: their bindings are declared once
  // more, to be written to, which WGSL allows as long as one of the two is used.
  const declared = writes.map(({ name, width }, i) => {
    const type = width === 4 ? "vec4<f32>" : "f32";
    return `@group(0) @binding(${
      count + 1 + i
    }) var<storage, read_write> ${name} : array<${type}>;\n`;
  }).join("");
  const tfjsProgram = {
    shaderKey: `lethe ${key}`,
    variableNames: [...program.inputs, ...writes.map(({ name }) => `Unread${name}`)],
    outputShape: [...outputShape],
    outputComponent: widths?.[count] ?? 1,
    variableComponents: [
      ...program.inputs.map((_, i) => widths?.[i] ?? 1),
      ...writes.map(({ width }) => width),
    ],
    workgroupSize: [...workgroupSize] as [number, number, number],
    dispatch: [...workgroups] as [number, number, number],
    // A layout with a y part keeps tfjs from computing a flat index that no kernel here uses.
    dispatchLayout: { x: [0], y: [1] },
    uniforms: uniforms.map(({ name, type }) => `${name} : ${type}, `).join(""),
    getUserCode: () => declared + (typeof code === "string" ? code : code()),
  };
  const data = uniforms.map(({ type, value }) => ({
    type: type === "f32" ? "float32" : "int32",
    data: [value],
  }));
  const type = program.outputType ?? "float32";
  const result = output ?? backend.makeTensorInfo([...outputShape], type);
  if (result.shape.includes(0)) {
    backend.tensorMap.get(result.dataId).values = util.getTypedArrayFromDType(type, 0);
    return result;
  }
  // tfjs compiles a program anew for tensors of other ranks, for the sake of code that no kernel here uses.
  const bare = ({ dataId, dtype }: TensorInfo): TensorInfo => ({ dataId, dtype, shape: [1] });
  backend.runWebGPUProgram(
    { ...tfjsProgram, outputShape: [1] },
    [...inputs, ...written].map(bare),
    type,
    data,
    bare(result),
  );
  return result;
}

/** What tfjs hands a kernel; inputs by the names that the ops use. */
export interface KernelArguments {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly backend: WebGPUBackend;
  readonly attrs: Readonly<Record<string, number | boolean>>;
}

/** Frees intermediate results. */
export function release(backend: WebGPUBackend, ...infos: readonly TensorInfo[]): void {
  for (const { dataId } of infos) backend.disposeData(dataId);
}

/** Workgroups of `size` invocations that cover n, folded into two dimensions within WebGPU's limits. */
export function cover(n: number, size: number): [number, number, number] {
  const groups = Math.ceil(n / size);
  const x = Math.min(groups, 32_768);
  return [x, Math.ceil(groups / x), 1];
}

/** WGSL for the invocation's number under {@link cover}. */
export function flatIndex(size: number): string {
  return `i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${size}u + localId.x)`;
}
