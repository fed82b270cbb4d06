import type { LayerConfig } from '../../../scratch/index';
import { formatLayers } from '../../base/layers-text';

/** The kinds of network that can be picked: by hand in float64, one TensorFlow graph, op by op on wasm. */
export const engineNames = ['scratch', 'graph', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];

/** Of one training step: B sequences of T steps of F features. */
export interface StepSize {
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
  /** U of a SimpleRNN */ readonly units?: number;
  /** of any other network, instead of `units` */ readonly layers?: readonly LayerConfig[];
}

const gates = { simpleRNN: 1, lstm: 4, gru: 3 } as const;

/** What one time step of one example costs: multiplications of the forward pass, numbers that a step makes, walks through time. */
interface StepWork {
  readonly multiplications: number;
  readonly states: number;
  readonly walks: number;
}

function workOf({ features, units = 1, layers = [{ layer: 'simpleRNN', units }] }: StepSize): StepWork {
  let width = features;
  const total = { multiplications: 0, states: 0, walks: 0 };
  for (const layer of layers) {
    if (layer.layer === 'embedding') {
      width = layer.outputDim;
      continue;
    }
    const isBoth = layer.layer === 'bidirectional';
    const inner = 'wrapped' in layer ? layer.wrapped : layer;
    const blocks = inner.layer === 'dense' ? 0 : gates[inner.layer] * (isBoth ? 2 : 1);
    total.multiplications += (blocks || 1) * inner.units * (width + (blocks > 0 ? inner.units : 0));
    total.states += (blocks || 1) * inner.units;
    total.walks += blocks === 0 ? 0 : isBoth ? 2 : 1;
    width = inner.units * (isBoth && (layer.mergeMode ?? 'concat') === 'concat' ? 2 : 1);
  }
  return total;
}

/**
 * About how long one training step takes, in milliseconds, on a machine of 2026 with two cores.
 *
 * Plain arrays start at once and pay for every multiplication; a native call pays about 0.2 ms whatever is in it; op by op on wasm
 * pays for every small op of every step. The constants are fitted to 45 shapes (B 1 to 128, T 5 to 100, U 4 to 256) and pick the
 * fastest of the three in all of them (scratch has become faster since: its two were refitted to five shapes, B 1 to 32, T 10 to 28,
 * U 8 to 128); between scratch and wasm alone the pick is at most 1.6 times slower than the other. Machines
 * differ, so these are for choosing, not for promising: `rnn-parity bench` measures.
 */
export function stepMilliseconds(engine: EngineName, size: StepSize): number {
  const { batch, timeSteps } = size;
  const work = workOf(size);
  // forward, back, and the weights' gradients: three products with as many multiplications each
  const multiplications = 3 * batch * timeSteps * work.multiplications;
  const states = batch * timeSteps * work.states;
  const steps = timeSteps * Math.max(1, work.walks);
  switch (engine) {
    case 'scratch': {
      // the kernels compute two rows at a time: one row costs as much as two
      const rows = Math.max(batch, 2) / batch;
      return 0.005 + 0.55e-6 * multiplications * rows + 32e-6 * states;
    }
    case 'graph':
      return 0.2 + 0.004 * steps + 0.1e-3 * batch * timeSteps + 0.045e-6 * multiplications;
    case 'wasm':
      return 0.5 + 0.05 * steps + 50e-6 * states + 0.1e-6 * multiplications;
  }
}

/** Engines in the order of how fast they should be at that size, the fastest first. */
export function rankEngines(size: StepSize): readonly EngineName[] {
  const time = new Map(engineNames.map((engine) => [engine, stepMilliseconds(engine, size)]));
  return [...engineNames].sort((one, other) => (time.get(one) ?? 0) - (time.get(other) ?? 0));
}

/** Why that engine: `a training step of B10 T5 F2 U4 takes about 0.016 ms there, 0.23 ms by graph and 0.79 ms by wasm`. */
export function explainChoice(chosen: EngineName, size: StepSize): string {
  const { batch, timeSteps, features, units, layers } = size;
  const network = layers === undefined ? `U${units ?? 1}` : formatLayers(layers);
  const about = (engine: EngineName): string => `${Number(stepMilliseconds(engine, size).toPrecision(2))} ms`;
  const others = rankEngines(size).filter((engine) => engine !== chosen);
  return `a training step of B${batch} T${timeSteps} F${features} ${network} takes about ${about(chosen)} there, ${others.map((engine) => `${about(engine)} by ${engine}`).join(' and ')}`;
}
