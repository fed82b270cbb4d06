import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { cellSizes, isRecurrent, type Layer, type Network, type NetworkProblem } from './network';
import { inputGradients, type InputGradient } from './observables';
import { rangesOf, widthOf } from './weights';

/** Additional inputs of an instrumented problem, and the gradient that they show. */
export interface Probe extends InputGradient {
  readonly layer: string;
  /** first of the additional inputs, and how many */ readonly from: number;
  readonly width: number;
}

export interface Instrumented {
  readonly network: Network;
  readonly problem: NetworkProblem;
  readonly probes: readonly Probe[];
}

/**
 * The same problem with one more input, always zero, for every inner gradient that an opaque implementation can show (`inputGradients`)
 * in the layers that read the inputs. Undefined where such a layer uses its inputs otherwise, so that it cannot be given more of them.
 *
 *     rows of the weight          F   the weight itself
 *                  additional inputs   the identity in the columns whose gradient they show, zero in all others
 */
export function instrument(network: Network, problem: NetworkProblem): Instrumented | undefined {
  return instrumented(network)(problem);
}

const instrumented = memoize((network: Network) =>
  memoize((problem: NetworkProblem) => withProbes(network, problem)),
);

function withProbes(network: Network, problem: NetworkProblem): Instrumented | undefined {
  const readers = network.layers.filter(isRecurrent).filter(({ reads }) => reads === 'inputs');
  const probes: Probe[] = [];
  let features = network.features;
  for (const layer of readers) {
    const shown = inputGradients(layer.cell);
    if (shown.length === 0 || layer.integers === true) return undefined;
    for (const one of shown) {
      const columns = one.columns ?? layer.cell.weights[one.weight].columns;
      const width = widthOf(columns, cellSizes(network, layer));
      probes.push({ ...one, layer: layer.name, from: features, width });
      features += width;
    }
  }
  const weights = Object.fromEntries(
    Object.entries(problem.weights).map(([name, own]) => {
      const layer = readers.find((one) => one.name === name);
      return [name, layer === undefined ? own : widened(network, layer, own, probes, features)];
    }),
  );
  return {
    network: { ...network, features },
    problem: { ...problem, inputs: withColumns(problem.inputs, features), weights },
    probes,
  };
}

/** The weights of a layer with identity rows for the additional inputs. */
function widened(
  network: Network,
  layer: Extract<Layer, { units: number }>,
  own: Readonly<Record<string, Tensor>>,
  probes: readonly Probe[],
  features: number,
): Record<string, Tensor> {
  const sizes = cellSizes(network, layer);
  return Object.fromEntries(
    Object.entries(own).map(([name, tensor]) => {
      const shape = layer.cell.weights[name];
      if (shape.rows?.join() !== 'F') return [name, tensor];
      const columns = tensor.shape[1];
      const data = new Float64Array(features * columns);
      data.set(tensor.data);
      for (const probe of probes) {
        if (probe.layer !== layer.name || probe.weight !== name) continue;
        let row = probe.from;
        for (const [from, to] of rangesOf(shape.columns, probe.columns, sizes))
          for (let column = from; column < to; column++) data[row++ * columns + column] = 1;
      }
      return [name, { data, shape: [features, columns] }];
    }),
  );
}

/** [B, T, F] with zeros for the additional inputs. */
function withColumns({ data, shape }: Tensor, features: number): Tensor {
  const [batch, timeSteps, own] = shape;
  const out = new Float64Array(batch * timeSteps * features);
  for (let row = 0; row < batch * timeSteps; row++)
    out.set(data.subarray(row * own, (row + 1) * own), row * features);
  return { data: out, shape: [batch, timeSteps, features] };
}
