import type { TensorInfo } from "@tensorflow/tfjs";
import { cover, flatIndex, type KernelArguments, runProgram } from "./program.ts";

const LANES = 64;

/** How a row of d numbers is read: numbers per load (four where they come in fours), and loads per row. */
function elements(d: number): { width: 1 | 4; columns: number } {
  return d % 4 === 0 ? { width: 4, columns: d / 4 } : { width: 1, columns: d };
}

function i32s(values: Readonly<Record<string, number>>) {
  return Object.entries(values).map(([name, value]) => ({ name, type: "i32" as const, value }));
}

/** `LetheTokens`: patches [b (n - 1), d], classToken [1, 1, d], positions [1, n, d] to [b, n, d]. */
export function tokensKernel({ inputs, backend }: KernelArguments): TensorInfo {
  const { patches, classToken, positions } = inputs;
  const [, n, d] = positions.shape;
  const b = patches.shape[0] / (n - 1);
  const { width, columns } = elements(d);
  return runProgram(backend, {
    key: `tokens ${width}`,
    inputs: ["Patches", "Class", "Positions"],
    widths: [width, width, width, width],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(b * n * columns, LANES),
    outputShape: [b, n, d],
    uniforms: i32s({ count: b * n * columns, n, columns }),
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      let c = i % uniforms.columns; let row = i / uniforms.columns;
      let token = row % uniforms.n; let image = row / uniforms.n;
      var x = Class[c];
      if (token > 0) {
        x = Patches[(image * (uniforms.n - 1) + token - 1) * uniforms.columns + c];
      }
      result[i] = x + Positions[token * uniforms.columns + c];
    }`,
  }, [patches, classToken, positions]);
}

/** `LetheTokensGrad`: dy [b, n, d] to [dPatches [b (n - 1), d], dClass [1, 1, d], dPositions [1, n, d]]. */
export function tokensGradKernel({ inputs: { dy }, backend }: KernelArguments): TensorInfo[] {
  const [b, n, d] = dy.shape;
  const { width, columns } = elements(d);
  const shared = { inputs: ["DY"], widths: [width, width] as const };
  const count = b * (n - 1) * columns;
  const dPatches = runProgram(backend, {
    key: `tokens gradient of patches ${width}`,
    ...shared,
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(count, LANES),
    outputShape: [b * (n - 1), d],
    uniforms: i32s({ count, n, columns }),
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      let c = i % uniforms.columns; let row = i / uniforms.columns;
      let image = row / (uniforms.n - 1); let token = row % (uniforms.n - 1) + 1;
      result[i] = DY[(image * uniforms.n + token) * uniforms.columns + c];
    }`,
  }, [dy]);
  const dClass = backend.makeTensorInfo([1, 1, d], "float32");
  const dPositions = runProgram(
    backend,
    {
      key: `tokens gradient of positions ${width}`,
      ...shared,
      writes: [{ name: "Class", width }],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(n * columns, LANES),
      outputShape: [1, n, d],
      uniforms: i32s({ count: n * columns, b, columns }),
      code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      var sum = DY[i];
      for (var image = 1; image < uniforms.b; image = image + 1) {
        sum = sum + DY[image * uniforms.count + i];
      }
      result[i] = sum;
      if (i < uniforms.columns) { Class[i] = sum; }
    }`,
    },
    [dy],
    undefined,
    [dClass],
  );
  return [dPatches, dClass, dPositions];
}
