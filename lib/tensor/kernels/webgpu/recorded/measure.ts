import type { TensorInfo } from "@tensorflow/tfjs";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "../program.ts";

const LANES = 64;

function i32(name: string, value: number) {
  return { name, type: "i32" as const, value };
}

/**
 * `LetheMeasure`: logits, targets [n, labels], weights [n] (zero for an image that does not count) to
 * [2, labels]: each label's weighted sum of binary cross entropies, and its average precision over the
 * images that count, -1 where none of them has it. With `classes`: [2, 1], cross entropy and accuracy
 * (its share by weight).
 */
export function measureKernel(args: KernelArguments): TensorInfo {
  const { backend, inputs: { logits, targets, weights } } = args;
  const [n, labels] = logits.shape;
  if (args.attrs.classes) return measureClasses(args);
  // Equal scores share a threshold, so a positive's own precision is that at its score, and AP the mean.
  const precisions = runProgram(backend, {
    key: "precision at each positive",
    inputs: ["X", "Y", "W"],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(n * labels, LANES),
    outputShape: [n, labels],
    uniforms: [i32("n", n), i32("labels", labels)],
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.n * uniforms.labels) { return; }
      let label = i % uniforms.labels;
      if (Y[i] < 0.5 || W[i / uniforms.labels] == 0.0) { result[i] = 0.0; return; }
      let score = X[i];
      var above = 0.0;
      var found = 0.0;
      for (var j = 0; j < uniforms.n; j = j + 1) {
        let at = j * uniforms.labels + label;
        if (W[j] != 0.0 && X[at] >= score) { above = above + 1.0; found = found + Y[at]; }
      }
      result[i] = found / above;
    }`,
  }, [logits, targets, weights]);
  const result = runProgram(backend, {
    key: "measure labels",
    inputs: ["X", "Y", "W", "P"],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(labels, LANES),
    outputShape: [2, labels],
    uniforms: [i32("n", n), i32("labels", labels)],
    code: `fn main() {
      let label = ${flatIndex(LANES)};
      if (label >= uniforms.labels) { return; }
      var loss = 0.0;
      var positives = 0.0;
      var found = 0.0;
      for (var i = 0; i < uniforms.n; i = i + 1) {
        let at = i * uniforms.labels + label;
        if (W[i] != 0.0) {
          let x = X[at];
          loss = loss + W[i] * (max(x, 0.0) - x * Y[at] + log(1.0 + exp(-abs(x))));
          positives = positives + Y[at];
          found = found + P[at];
        }
      }
      result[label] = loss;
      result[uniforms.labels + label] = select(found / positives, -1.0, positives == 0.0);
    }`,
  }, [logits, targets, weights, precisions]);
  release(backend, precisions);
  return result;
}

function measureClasses({ backend, inputs: { logits, targets, weights } }: KernelArguments) {
  const [n, labels] = logits.shape;
  return runProgram(backend, {
    key: "measure classes",
    inputs: ["X", "Y", "W"],
    workgroupSize: [1, 1, 1],
    workgroups: [1, 1, 1],
    outputShape: [2, 1],
    uniforms: [i32("n", n), i32("labels", labels)],
    code: `fn main() {
      var loss = 0.0;
      var right = 0.0;
      for (var i = 0; i < uniforms.n; i = i + 1) {
        if (W[i] != 0.0) {
          let first = i * uniforms.labels;
          var top = 0;
          var actual = 0;
          var own = 0.0;
          for (var c = 0; c < uniforms.labels; c = c + 1) {
            if (X[first + c] > X[first + top]) { top = c; }
            if (Y[first + c] > Y[first + actual]) { actual = c; }
            own = own + Y[first + c] * X[first + c];
          }
          var rest = 0.0;
          for (var c = 0; c < uniforms.labels; c = c + 1) {
            if (c != top) { rest = rest + exp(X[first + c] - X[first + top]); }
          }
          loss = loss + W[i] * (X[first + top] - own + log(1.0 + rest));
          if (top == actual) { right = right + W[i]; }
        }
      }
      result[0] = loss;
      result[1] = right;
    }`,
  }, [logits, targets, weights]);
}

/**
 * `LetheObjective`: what `LetheMeasure` gave of the images at theta_u (`own`) and, where the first term
 * counts, of validation images (`val`), and what is known of the original model, [2 + labels]: loss,
 * metric and each label's loss. To [3 + labels]: A (Eq. 5 or 6), loss, metric and the slopes of A in each
 * label's loss, or [4] of classes. Attributes: `first`, `second` (which terms), `scaled`, `squared` (the
 * distance), `byLabel` (what is aligned).
 */
export function objectiveKernel({ backend, inputs, attrs }: KernelArguments): TensorInfo {
  const { own, original, val } = inputs;
  const labels = own.shape[1];
  const { first, second, scaled, squared, byLabel } = attrs;
  const against = (name: string, loss: string, metric: string) =>
    `{
    let d = distance(scale * own, ${scaled ? `(1.0 - ${metric})` : "1.0"} * ${loss});
    value = value + d.x / parts;
    slope = slope + d.y * scale;
  } // ${name}`;
  const flags = [first, second, scaled, squared, byLabel].map((flag) => flag ? 1 : 0).join("");
  return runProgram(backend, {
    key: `objective ${flags}`,
    inputs: val ? ["Own", "Original", "Val"] : ["Own", "Original"],
    workgroupSize: [1, 1, 1],
    workgroups: [1, 1, 1],
    outputShape: [3 + labels],
    uniforms: [i32("labels", labels)],
    code: `
    fn distance(a : f32, b : f32) -> vec2<f32> {
      let gap = a - b;
      ${
      squared
        ? "return vec2<f32>(gap * gap, 2.0 * gap);"
        : `if (abs(gap) < 1.0) { return vec2<f32>(0.5 * gap * gap, gap); }
      return vec2<f32>(abs(gap) - 0.5, sign(gap));`
    }
    }
    fn meanOf(sum : f32, count : f32) -> f32 { return select(sum / count, 0.0, count == 0.0); }
    fn main() {
      // What a form does not use stays part of the layout.
      _ = Original[0];
      ${val ? "_ = Val[0];" : ""}
      let labels = uniforms.labels;
      var loss = 0.0; var metric = 0.0; var present = 0.0;
      for (var l = 0; l < labels; l = l + 1) {
        loss = loss + Own[l];
        let ap = Own[labels + l];
        if (!(ap < 0.0)) { metric = metric + ap; present = present + 1.0; }
      }
      loss = loss / f32(labels);
      metric = meanOf(metric, present);
      ${
      val
        ? `var valLoss = 0.0; var valMetric = 0.0; var valPresent = 0.0;
      for (var l = 0; l < labels; l = l + 1) {
        valLoss = valLoss + Val[l];
        let ap = Val[labels + l];
        if (!(ap < 0.0)) { valMetric = valMetric + ap; valPresent = valPresent + 1.0; }
      }
      valLoss = valLoss / f32(labels);
      valMetric = meanOf(valMetric, valPresent);`
        : ""
    }
      let scale = ${scaled ? "1.0 - metric" : "1.0"};
      let parts = ${byLabel ? "f32(labels)" : "1.0"};
      var value = 0.0;
      for (var l = 0; l < ${byLabel ? "labels" : "1"}; l = l + 1) {
        let own = ${byLabel ? "Own[l]" : "loss"};
        var slope = 0.0;
        ${val && first ? against("first term", byLabel ? "Val[l]" : "valLoss", "valMetric") : ""}
        ${
      second
        ? against("second term", byLabel ? "Original[2 + l]" : "Original[0]", "Original[1]")
        : ""
    }
        ${
      byLabel
        ? "result[3 + l] = slope / f32(labels);"
        : `for (var k = 0; k < labels; k = k + 1) { result[3 + k] = slope / f32(labels); }`
    }
      }
      result[0] = value;
      result[1] = loss;
      result[2] = metric;
    }`,
  }, val ? [own, original, val] : [own, original]);
}

/**
 * `LetheObjectiveGrad`: dy (a scalar), logits and targets [n, labels], weights [n] and what
 * `LetheObjective` gave to dlogits: dy slope_label weight (s(x) - y).
 */
export function objectiveGradKernel({ backend, inputs }: KernelArguments): TensorInfo {
  const { dy, logits, targets, weights, objective } = inputs;
  const [n, labels] = logits.shape;
  return runProgram(backend, {
    key: "objective gradient",
    inputs: ["DY", "X", "Y", "W", "A"],
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(n * labels, LANES),
    outputShape: [n, labels],
    uniforms: [i32("count", n * labels), i32("labels", labels)],
    code: `fn main() {
      let i = ${flatIndex(LANES)};
      if (i >= uniforms.count) { return; }
      let s = 1.0 / (1.0 + exp(-X[i]));
      let slope = A[3 + i % uniforms.labels] * W[i / uniforms.labels];
      result[i] = DY[0] * slope * (s - Y[i]);
    }`,
  }, [dy, logits, targets, weights, objective]);
}
