import { zeros, type Tensor } from '../../scratch/index';
import {
  exactArithmetic,
  isRecurrent,
  runForward,
  type Instrumented,
  type Layer,
  type Network,
  type NetworkProblem,
} from '../equations/index';
import { fill } from '../problems/index';

/** A level of what an example is about, and of everything else. */
export type Level = readonly [own: number, others: number];

/**
 * What one example of a probe is like: the carried states before its step, the pre-activations of the step (`z.f`; additional inputs lead to
 * them whatever the weights are), the inputs, and the gradients that arrive at the carried states after it.
 */
export interface ProbeSetting {
  /** what `own` counts */ readonly about: 'unit' | 'input' | 'all';
  readonly before: Readonly<Record<string, Level>>;
  readonly at: Readonly<Record<string, Level>>;
  /** the level of the input that the example is about; all others are zero */ readonly input: number;
  readonly after: Readonly<Record<string, Level>>;
}

export interface ProbeExample {
  readonly layer: string;
  readonly setting: ProbeSetting;
  /** the unit or input that it is about */ readonly own: number;
}

type Recurrent = Extract<Layer, { units: number }>;

/** A problem of one time step, an example for each of these. */
export function atLevels(
  { network, problem: { weights }, probes }: Instrumented,
  examples: readonly ProbeExample[],
  isBackward: boolean,
): { readonly network: Network; readonly problem: NetworkProblem } {
  const batch = examples.length;
  const readers = network.layers.filter(isRecurrent).filter(({ reads }) => reads === 'inputs');
  const inputs = zeros(batch, 1, network.features);
  examples.forEach(({ setting, own: at }, b) => {
    if (setting.about === 'input') inputs.data[b * network.features + at] = setting.input;
  });
  const states = (which: 'before' | 'after'): Record<string, Record<string, Tensor>> =>
    Object.fromEntries(
      readers.map(({ name, cell, units }) => [
        name,
        Object.fromEntries(
          cell.carries.map((carry) => [
            carry,
            fill([batch, units], (b, u) => {
              const { layer, setting } = examples[b];
              return layer === name ? levelOf(setting[which][carry], examples[b], u) : 0;
            }),
          ]),
        ),
      ]),
    );
  const before = states('before');
  const problem: NetworkProblem = {
    inputs,
    weights,
    initialStates: before,
    ...(isBackward && {
      upstream: Object.fromEntries(Object.entries(states('after')).map(([name, final]) => [name, { final }])),
    }),
  };
  for (const layer of readers) lead(network, problem, layer, probes, examples);
  return { network, problem };
}

/** Sets the additional inputs so that the pre-activations of a layer are at their levels. */
function lead(
  network: Network,
  { inputs, weights, initialStates }: NetworkProblem,
  layer: Recurrent,
  probes: Instrumented['probes'],
  examples: readonly ProbeExample[],
): void {
  const alone = { features: network.features, layers: [layer] };
  const { name, cell, units } = layer;
  const only = {
    inputs,
    weights: { [name]: weights[name] },
    ...(initialStates?.[name] && { initialStates: { [name]: initialStates[name] } }),
  };
  const mine = probes.filter((one) => one.layer === name);
  // a pre-activation may depend on others: one pass for each
  for (let pass = 0; pass < mine.length; pass++) {
    const seen = new Map<string, Float64Array>();
    runForward(alone, only, exactArithmetic(), {
      observe: (place, value) => {
        if (place.layer === name) seen.set([place.name, ...(place.part ?? [])].join('.'), value.value);
        return value;
      },
    });
    for (const { gradient, part, from, width } of mine) {
      const quantity = gradient.slice(1);
      const value = seen.get([quantity, ...(part ?? [])].join('.'));
      if (value === undefined) continue;
      const blocks = part ?? cell.axes.get(quantity) ?? [];
      examples.forEach((example, b) => {
        for (let column = 0; column < width; column++) {
          const levels = example.setting.at[`${quantity}.${blocks[Math.floor(column / units)]}`];
          const level = example.layer === name ? levelOf(levels, example, column % units) : 0;
          const i = b * network.features + from + column;
          inputs.data[i] = Math.fround(inputs.data[i] + level - value[b * width + column]);
        }
      });
    }
  }
}

/** The level of a unit in an example. */
function levelOf([own, others]: Level, { setting: { about }, own: at }: ProbeExample, unit: number): number {
  return about === 'all' || (about === 'unit' && unit === at) ? own : others;
}
