import { formatLayers } from '../../base/layers-text';
import { engineNames, stepMilliseconds, type EngineName, type StepSize } from './step-time';

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
