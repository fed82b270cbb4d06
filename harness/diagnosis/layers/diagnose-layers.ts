import type { Tensor } from '../../../scratch/index';
import { askedForSteps, type PrecisionModel } from '../../budget/index';
import type { Network, NetworkProblem } from '../../equations/index';
import type { Diagnosis } from '../diagnosis';
import { phaseOf, placeOf } from './place';
import { LayersReading } from './reading';
import { kindOfLayers } from './suspects';
import { layerTitle } from './titles';

export interface DiagnoseLayersOptions {
  /** how the side rounds */ readonly model: PrecisionModel;
  /** the side's answer to `askedForSteps(network, problem)`: it shows inner gradients */
  readonly shown?: ReadonlyMap<string, Tensor>;
  /** names the fault; default true */ readonly kind?: boolean;
}

/** Where a mistake begins in an answer, and which it looks like; `layer 2 lstm, gate f, c` is the tensor. */
export interface LayersDiagnosis extends Pick<
  Diagnosis,
  'phase' | 'tensor' | 'formula' | 'timeSteps' | 'worst' | 'kind'
> {
  /** the first wrong quantity, as `evaluateNetwork` has it */ readonly name: string;
}

/**
 * Says of a wrong answer where the mistake begins (`placeOf`), and which of the faults that a network of these equations can have gives
 * these numbers (`kindOfLayers`). A fault is named only where its own network, within its own error budget, gives every number.
 *
 * @param answer of the side to the problem, by the names of `evaluateNetwork`; float32 numbers of the problem are exact in float32
 * @returns undefined where neither the results nor the single equations are wrong
 */
export function diagnoseLayers(
  network: Network,
  problem: NetworkProblem,
  answer: ReadonlyMap<string, Tensor>,
  options: DiagnoseLayersOptions,
): LayersDiagnosis | undefined {
  const { model, shown, kind: isNamed = true } = options;
  const results = new LayersReading(network, problem, answer, model);
  const asked = askedForSteps(network, problem);
  const place = placeOf(network, problem, shown ?? answer, model);
  if (place === undefined && results.isRight) return undefined;
  // results that are right leave the answer to the instrumented problem
  const reading =
    results.isRight && shown !== undefined
      ? new LayersReading(asked.network, asked.problem, shown, model)
      : results;
  const kind = isNamed ? kindOfLayers(reading, place) : undefined;
  const [wrong] = reading.wrongTensors;
  const gate = kind?.gate ?? place?.gate;
  const timeSteps = kind?.timeStep !== undefined ? [kind.timeStep] : place?.timeSteps;
  const quantity = place?.quantity ?? wrong;
  const title = layerTitle(network, kind?.layer ?? place?.layer);
  return {
    phase: place?.phase ?? phaseOf(network, quantity),
    tensor: [title, ...(gate === undefined ? [] : [`gate ${gate}`]), quantity].join(', '),
    name: place?.name ?? quantity,
    formula: place?.formula ?? quantity,
    ...(timeSteps !== undefined && { timeSteps }),
    ...(place !== undefined && { worst: place.worst }),
    ...(kind !== undefined && { kind }),
  };
}
