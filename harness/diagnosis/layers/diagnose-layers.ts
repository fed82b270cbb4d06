import type { Tensor } from '../../../scratch/index';
import type { Phase } from '../../base/problem';
import { askedForSteps, type PrecisionModel } from '../../budget/index';
import type { Network, NetworkProblem } from '../../equations/index';
import type { WrongNumber } from '../diagnosis';
import { phaseOf, placeOf, type LayerPlace } from './place';
import { LayersReading } from './reading';
import { kindOfLayers, type LayersKind } from './suspects';
import { layerNumber, layerTitle } from './titles';

export interface DiagnoseLayersOptions {
  /** how the side rounds */ readonly model: PrecisionModel;
  /** the side's answer to `askedForSteps(network, problem)`: it shows inner gradients */
  readonly shown?: ReadonlyMap<string, Tensor>;
  /** names the fault; default true */ readonly kind?: boolean;
}

/** What is wrong with an answer of a network of layers: where it begins, and which mistake it looks like. */
export interface LayersDiagnosis {
  readonly phase: Phase;
  /** the layer where the mistake is, counted from 1; absent for the dense layer at the end, and for the whole network */
  readonly layerNumber?: number;
  /** "layer 2 lstm", "the dense layer", "the network" */ readonly layer: string;
  /** the first wrong quantity: `h`, `dz[f]`, `gradients.kernel`, `logits` */ readonly quantity: string;
  /** its whole name, as `evaluateNetwork` has it */ readonly name: string;
  readonly formula: string;
  readonly gate?: string;
  /** the steps whose own equation is wrong, counted from 0 */ readonly timeSteps?: readonly number[];
  readonly worst?: WrongNumber;
  /** tensors whose results are wrong */ readonly wrong: readonly string[];
  readonly kind?: LayersKind;
  /** "layer 2 lstm, gate f, time step 5: ..." */ readonly text: string;
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
  return describe(network, reading, place, kind);
}

function describe(
  network: Network,
  reading: LayersReading,
  place: LayerPlace | undefined,
  kind: LayersKind | undefined,
): LayersDiagnosis {
  const wrong = [...reading.wrongTensors];
  const layer = kind?.layer ?? place?.layer;
  const number = layerNumber(network, layer);
  const gate = kind?.gate ?? place?.gate;
  const timeSteps = kind?.timeStep !== undefined ? [kind.timeStep] : place?.timeSteps;
  const quantity = place?.quantity ?? wrong[0];
  const title = layerTitle(network, layer);
  const where = [
    title,
    ...(gate === undefined ? [] : [`gate ${gate}`]),
    ...stepsInWords(timeSteps, kind?.timeStep === undefined && place?.mayBeMore === true),
  ].join(', ');
  const what =
    kind?.words ?? (place === undefined ? `${quantity} is wrong` : `${place.formula} does not hold`);
  return {
    phase: place?.phase ?? phaseOf(network, quantity),
    ...(number !== undefined && { layerNumber: number }),
    layer: title,
    quantity,
    name: place?.name ?? quantity,
    formula: place?.formula ?? quantity,
    ...(gate !== undefined && { gate }),
    ...(timeSteps !== undefined && { timeSteps }),
    ...(place !== undefined && { worst: place.worst }),
    wrong,
    ...(kind !== undefined && { kind }),
    text: `${where}: ${what}`,
  };
}

function stepsInWords(timeSteps: readonly number[] | undefined, mayBeMore: boolean): string[] {
  if (timeSteps === undefined || timeSteps.length === 0) return [];
  if (timeSteps.length === 1) return [`${mayBeMore ? 'first at ' : ''}time step ${timeSteps[0]}`];
  const shown = timeSteps.slice(0, 5).join(', ');
  return [`time steps ${shown}${timeSteps.length > 5 ? ', ...' : ''}`];
}
