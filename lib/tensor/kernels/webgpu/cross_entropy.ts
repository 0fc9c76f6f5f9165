import type { TensorInfo } from "@tensorflow/tfjs";
import type { KernelArguments } from "./program.ts";
import { runProgram } from "./program.ts";

/** One workgroup takes it all: a batch has few logits. */
const LANES = 256;

/**
 * `LetheBinaryCrossEntropy`: logits x and targets y [b, labels] to [mean of max(x, 0) - x y +
 * log(1 + e^-|x|), a scalar, and its gradient (sigmoid(x) - y) / (b labels)].
 */
export function binaryCrossEntropyKernel({ inputs, backend }: KernelArguments): TensorInfo[] {
  const { x, y } = inputs;
  const count = x.shape.reduce((a, b) => a * b, 1);
  const slope = backend.makeTensorInfo(x.shape, "float32");
  const steps: string[] = [];
  for (let half = LANES / 2; half >= 1; half /= 2) {
    steps.push(
      `if (lane < ${half}) { sums[lane] = sums[lane] + sums[lane + ${half}]; }`,
      "workgroupBarrier();",
    );
  }
  const loss = runProgram(
    backend,
    {
      key: "binary cross entropy",
      inputs: ["X", "Y"],
      writes: [{ name: "Slope", width: 1 }],
      workgroupSize: [LANES, 1, 1],
      workgroups: [1, 1, 1],
      outputShape: [],
      uniforms: [{ name: "count", type: "i32", value: count }],
      code: `var<workgroup> sums : array<f32, ${LANES}>;
      fn main() {
        let lane = i32(localId.x);
        var sum = 0.0;
        for (var i = lane; i < uniforms.count; i = i + ${LANES}) {
          let x = X[i]; let y = Y[i];
          let e = exp(-abs(x));
          sum = sum + (max(x, 0.0) - x * y + log(1.0 + e));
          let sigmoid = select(e / (1.0 + e), 1.0 / (1.0 + e), x >= 0.0);
          Slope[i] = (sigmoid - y) / f32(uniforms.count);
        }
        sums[lane] = sum;
        workgroupBarrier();
        ${steps.join("\n        ")}
        if (lane == 0) { result[0] = sums[0] / f32(uniforms.count); }
      }`,
    },
    [x, y],
    undefined,
    [slope],
  );
  return [loss, slope];
}
