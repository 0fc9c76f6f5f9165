import { LetheError } from "../error.ts";
import type { Run } from "./compare.ts";
import type { Workload } from "./workload.ts";

/** Debian's own, which python3-torch installs for; the only program that may be run. */
const PYTHON = "/usr/bin/python3";

/** What PyTorch says of the steps that it took. */
export interface PytorchAnswer {
  readonly loss: number;
  readonly version: string;
}

/** PyTorch as a child process that takes the training step when asked. */
export interface Pytorch {
  /** Takes the step that many times. */
  readonly run: Run;
  /** The last step's loss, and what computed it: version, threads, linear algebra library. */
  answer(): PytorchAnswer;
  /** Ends the process. */
  stop(): Promise<void>;
}

/**
 * Starts PyTorch on the workload's own weights, images and targets (tasks/bench_pytorch.py).
 *
 * @param script path of the Python script
 * @throws LetheError there is no Python, or it has no PyTorch
 */
export async function startPytorch(script: string, workload: Workload): Promise<Pytorch> {
  const { theta, shape, images, objective } = workload;
  const { patches, targets } = objective.source.batch(images.forget);
  const tensors = Object.entries({ ...theta, patches, targets });
  const child = spawn(script);
  const writer = child.stdin.getWriter();
  const answers = lines(child.stdout);
  let answer: PytorchAnswer = { loss: NaN, version: "" };
  const ask = async (times: number) => {
    try {
      await writer.write(new TextEncoder().encode(`${times}\n`));
    } catch {
      // It has ended: the missing answer tells.
    }
    const { value } = await answers.next();
    if (!value) throw missing(script);
    answer = JSON.parse(value);
  };
  const header = {
    dim: shape.dim,
    heads: shape.heads,
    depth: shape.depth,
    epsilon: shape.layerNormEps,
    tensors: tensors.map(([name, tensor]) => [name, tensor.shape]),
  };
  try {
    await writer.write(new TextEncoder().encode(JSON.stringify(header) + "\n"));
    for (const [, tensor] of tensors) {
      const data = await tensor.data<"float32">();
      await writer.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await ask(1);
  } catch (cause) {
    await child.status;
    throw cause instanceof LetheError ? cause : missing(script, cause);
  } finally {
    patches.dispose();
    targets.dispose();
  }
  return {
    run: ask,
    answer: () => answer,
    async stop() {
      await writer.close();
      await child.status;
    },
  };
}

function spawn(script: string): Deno.ChildProcess {
  try {
    return new Deno.Command(PYTHON, {
      args: [script],
      // Debian's PyTorch with Debian's libraries; and Deno hands no LD_LIBRARY_PATH on.
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", HOME: "/tmp" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (cause) {
    throw missing(script, cause);
  }
}

function missing(script: string, cause?: unknown): LetheError {
  return new LetheError(
    `${PYTHON} ${script} ended early`,
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
