import type { ActivationName } from '../../../scratch/index';
import type { GraphTensor, Ops } from '../builder/index';

/** A function of each element as nodes of a graph. */
export interface Activation {
  /** y = f(z) */ forward(g: Ops, z: GraphTensor): GraphTensor;
  /** dy ∘ f'(z), from y where that suffices; z is there when `readsInput` */
  backward(g: Ops, y: GraphTensor, dy: GraphTensor, z: GraphTensor | undefined): GraphTensor;
  readonly readsInput: boolean;
}

/**
 * The activations by their names.
 *
 *     tanh                 tanh(z)                       slope 1 - y²
 *     sigmoid              1 / (1 + exp(-z))             slope y (1 - y)
 *     hardSigmoid          0.2 z + 0.5, cut to [0, 1]    slope 0.2 where nothing was cut, else 0
 *     hardSigmoidKeras3    z / 6 + 0.5, cut to [0, 1]    slope 1/6 where nothing was cut, else 0
 *     relu                 max(z, 0)                     slope 1 where y > 0, else 0
 *     linear               z                             slope 1
 */
export const activations: Readonly<Record<ActivationName, Activation>> = {
  tanh: {
    forward: (g, z) => g.tanh(z),
    backward: (g, y, dy) => g.tanhGrad(y, dy),
    readsInput: false,
  },
  sigmoid: {
    forward: (g, z) => g.sigmoid(z),
    backward: (g, y, dy) => g.sigmoidGrad(y, dy),
    readsInput: false,
  },
  hardSigmoid: cutLine(
    (g, z) => g.add(g.mul(g.float(0.2), z), g.float(0.5)),
    (g, dy) => g.mul(g.float(0.2), dy),
  ),
  hardSigmoidKeras3: cutLine(
    (g, z) => g.add(g.div(z, g.float(6)), g.float(0.5)),
    (g, dy) => g.div(dy, g.float(6)),
  ),
  relu: {
    forward: (g, z) => g.relu(z),
    backward: (g, y, dy) => g.reluGrad(y, dy),
    readsInput: false,
  },
  linear: { forward: (_, z) => z, backward: (_g, _y, dy) => dy, readsInput: false },
};

/** A line cut to [0, 1]; the slope counts where the line is what came out, the edges 0 and 1 included. */
function cutLine(
  line: (g: Ops, z: GraphTensor) => GraphTensor,
  slope: (g: Ops, dy: GraphTensor) => GraphTensor,
): Activation {
  return {
    forward: (g, z) => g.minimum(g.maximum(line(g, z), g.float(0)), g.float(1)),
    backward: (g, y, dy, z) => g.select(g.equal(y, line(g, z as GraphTensor)), slope(g, dy), g.zerosLike(dy)),
    readsInput: true,
  };
}
