import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { OP_TABLE, type OpTableRow } from "../../lib/tensor/op_table.ts";
import { Random } from "../../lib/random.ts";
import { onEachDevice } from "./on_each_device.ts";

/** Step of the central differences: the best trade of truncation against float32 rounding. */
const STEP = 1e-2;

function draw(shape: readonly number[], random: Random): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.normal()), [...shape]);
}

function title({ op, inputs, constants = [] }: OpTableRow): string {
  const fixed = (i: number) => constants.includes(i) ? " fixed " : "";
  return `${op.name}${inputs.map((shape, i) => `${fixed(i)}[${shape}]`).join("")}`;
}

/** Inputs, directions (null for constants) and a cotangent for one row of the table. */
function drawCase(row: OpTableRow) {
  const random = new Random(1, `op table ${title(row)}`);
  const inputs = row.inputs.map((shape) =>
    tf.tidy(() => tf.mul(draw(shape, random), row.spread ?? 1))
  );
  const tangents = row.inputs.map((shape, i) =>
    row.constants?.includes(i) ? null : draw(shape, random)
  );
  const value = tf.tidy(() => row.op.forward(inputs, row.attributes ?? {}));
  const cotangent = draw(value.shape, random);
  value.dispose();
  const dispose = () => tf.dispose([...inputs, cotangent, ...tangents.filter((t) => t !== null)]);
  return { inputs, tangents, cotangent, dispose };
}

/** inputs + scale tangents. */
function shifted(inputs: tf.Tensor[], tangents: (tf.Tensor | null)[], scale: number): tf.Tensor[] {
  return inputs.map((x, i) => tangents[i] ? tf.add(x, tf.mul(tangents[i]!, scale)) : tf.clone(x));
}

const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b));

for (const row of OP_TABLE) {
  const { op, attributes = {} } = row;

  onEachDevice(`${title(row)} has the tangent that central differences give`, async () => {
    const { inputs, tangents, dispose } = drawCase(row);
    const [exact, numeric] = tf.tidy(() => {
      const value = op.forward(inputs, attributes);
      const above = op.forward(shifted(inputs, tangents, STEP), attributes);
      const below = op.forward(shifted(inputs, tangents, -STEP), attributes);
      return [
        op.jvp(inputs, tangents, attributes, value),
        tf.div(tf.sub(above, below), 2 * STEP),
      ];
    });
    assertEquals(exact.shape, numeric.shape);
    const [error, size] = tf.tidy(() => [
      tf.max(tf.abs(tf.sub(exact, numeric))),
      tf.max(tf.abs(numeric)),
    ]);
    assertLess((await error.data())[0], 3e-3 * Math.max(1, (await size.data())[0]));
    tf.dispose([exact, numeric, error, size]);
    dispose();
  });

  onEachDevice(`${title(row)} has a gradient that is the transpose of its tangent`, async () => {
    const { inputs, tangents, cotangent, dispose } = drawCase(row);
    const moving = tangents.map((_, i) => i).filter((i) => tangents[i] !== null);
    const [backward, forward] = tf.tidy(() => {
      const gradients = tf.grads((...moved: tf.Tensor[]) => {
        const all = inputs.map((x, i) => moving.includes(i) ? moved[moving.indexOf(i)] : x);
        return dot(op.forward(all, attributes), cotangent);
      })(moving.map((i) => inputs[i]));
      const value = op.forward(inputs, attributes);
      const tangent = op.jvp(inputs, tangents, attributes, value);
      return [
        tf.addN(gradients.map((g, k) => dot(g, tangents[moving[k]]!))),
        dot(tangent, cotangent),
      ];
    });
    const [a, b] = [(await backward.data())[0], (await forward.data())[0]];
    assert(Math.abs(a - b) < 2e-4 * Math.max(1, Math.abs(b)), `<JT w, v> ${a}, <w, J v> ${b}`);
    tf.dispose([backward, forward]);
    dispose();
  });

  onEachDevice(
    `${title(row)} has a tangent whose gradient central differences confirm`,
    async () => {
      // Reverse over forward, as the meta-gradient uses it: d/dx <w, J(x) v> along another direction.
      const { inputs, tangents, cotangent, dispose } = drawCase(row);
      const bracket = (xs: tf.Tensor[]) =>
        dot(op.jvp(xs, tangents, attributes, op.forward(xs, attributes)), cotangent);
      const random = new Random(2, title(row));
      const along = inputs.map((x, i) => tangents[i] === null ? null : draw(x.shape, random));
      const moving = along.map((_, i) => i).filter((i) => along[i] !== null);
      const [exact, numeric] = tf.tidy(() => {
        const gradients = tf.grads((...moved: tf.Tensor[]) =>
          tf.add(
            bracket(inputs.map((x, i) => moving.includes(i) ? moved[moving.indexOf(i)] : x)),
            // A tangent that does not depend on an input has no path to it: give the tape one.
            tf.mul(tf.addN(moved.map((x) => tf.sum(x))), 0),
          )
        )(moving.map((i) => inputs[i]));
        return [
          tf.addN(gradients.map((g, k) => dot(g, along[moving[k]]!))),
          tf.div(
            tf.sub(bracket(shifted(inputs, along, STEP)), bracket(shifted(inputs, along, -STEP))),
            2 * STEP,
          ),
        ];
      });
      const [a, b] = [(await exact.data())[0], (await numeric.data())[0]];
      assert(Math.abs(a - b) < 1e-2 * Math.max(1, Math.abs(b)), `exact ${a}, differences ${b}`);
      tf.dispose([exact, numeric, ...along.filter((t) => t !== null)]);
      dispose();
    },
  );
}
