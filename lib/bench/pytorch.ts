import { LetheError } from "../error.ts";
import type { Run } from "./compare.ts";
import type { Workload } from "./workload.ts";

/** Debian's own, which python3-torch installs for; the only program that a task may run. */
export const PYTHON = "/usr/bin/python3";

/** Steps that PyTorch takes: `gradient` is training without its optimiser. */
export type PytorchStep = "gradient" | "training" | "evaluation" | "meta";
/** In what numbers; all but the first on a card. */
export const PYTORCH_MODES = ["fp32", "tf32", "bf16"] as const;
/** One of {@link PYTORCH_MODES}. */
export type PytorchMode = typeof PYTORCH_MODES[number];

/** What PyTorch says of the steps that it took. */
export interface PytorchAnswer {
  /** The last step's: a loss, of `meta` the norm of dA/dphi, of `evaluation` the sum of the logits. */
  readonly value: number;
  readonly version: string;
  /** Whether a CUDA card computed it. */
  readonly cuda: boolean;
  /** The most bytes of the card's memory that tensors took while it did; 0 on a CPU. */
  readonly bytes: number;
}

/** PyTorch as a child process that takes steps when asked. */
export interface Pytorch {
  /** Takes a step that many times. */
  run(step: PytorchStep, mode: PytorchMode): Run;
  /** The last step's, and what computed it: version, card or threads and linear algebra library. */
  answer(): PytorchAnswer;
  /** Ends the process. */
  stop(): Promise<void>;
}

/**
 * Starts PyTorch on the workload's own weights, images and targets (tasks/bench_pytorch.py).
 *
 * @param script path of the Python script
 * @param cuda whether to compute on a card, if PyTorch finds one
 * @param python the program that runs it
 * @throws LetheError there is no Python, or it has no PyTorch
 */
export async function startPytorch(
  script: string,
  workload: Workload,
  cuda = false,
  python = PYTHON,
): Promise<Pytorch> {
  const { theta, phi, shape, images, objective } = workload;
  const data = Object.entries(images).flatMap(([name, indices]) => {
    const { patches, targets } = objective.source.batch(indices);
    return [[`data/${name} patches`, patches], [`data/${name} targets`, targets]] as const;
  });
  const tensors = [
    ...Object.entries(theta).map(([name, tensor]) => [`theta/${name}`, tensor] as const),
    ...Object.entries(phi).map(([name, tensor]) => [`phi/${name}`, tensor] as const),
    ...data,
  ];
  const child = spawn(python, script);
  const writer = child.stdin.getWriter();
  const answers = lines(child.stdout);
  let answer: PytorchAnswer = { value: NaN, version: "", cuda: false, bytes: 0 };
  const ask = async (step: PytorchStep, mode: PytorchMode, times: number) => {
    try {
      await writer.write(new TextEncoder().encode(JSON.stringify({ step, mode, times }) + "\n"));
    } catch {
      // It has ended: the missing answer tells.
    }
    const { value } = await answers.next();
    if (!value) throw missing(python, script);
    answer = JSON.parse(value);
  };
  const header = {
    dim: shape.dim,
    heads: shape.heads,
    depth: shape.depth,
    epsilon: shape.layerNormEps,
    eta: objective.metaLearningRate,
    cuda,
    tensors: tensors.map(([name, tensor]) => [name, tensor.shape]),
  };
  try {
    await writer.write(new TextEncoder().encode(JSON.stringify(header) + "\n"));
    for (const [, tensor] of tensors) {
      const data = await tensor.data<"float32">();
      await writer.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await ask("gradient", "fp32", 1);
  } catch (cause) {
    await child.status;
    throw cause instanceof LetheError ? cause : missing(python, script, cause);
  } finally {
    data.forEach(([, tensor]) => tensor.dispose());
  }
  return {
    run: (step, mode) => (times) => ask(step, mode, times),
    answer: () => answer,
    async stop() {
      await writer.close();
      await child.status;
    },
  };
}

function spawn(python: string, script: string): Deno.ChildProcess {
  try {
    return new Deno.Command(python, {
      args: [script],
      // Debian's PyTorch with Debian's libraries; and Deno hands no LD_LIBRARY_PATH on.
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: "/tmp" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (cause) {
    throw missing(python, script, cause);
  }
}

function missing(python: string, script: string, cause?: unknown): LetheError {
  return new LetheError(
    `${python} ${script} ended early`,
    "it needs PyTorch",
    "install it (on Debian, `apt-get install python3-torch libopenblas0`)",
    { cause },
  );
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
