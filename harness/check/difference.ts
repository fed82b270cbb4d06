import type { ModelDescription } from '../models/index';
import type { Cause } from './causes';
import type { JudgedTensor } from './judge';
import { gatesOf } from './variants/index';

/** Where a difference begins. */
export interface Difference {
  readonly layerNumber: number;
  readonly layer: string;
  readonly kind: string;
  /** `output`, `final state 1`, `gradient of recurrentKernel` */ readonly tensor: string;
  /** absent where the tensor is the gradient of a weight */ readonly example?: number;
  /** of the gradient of a matrix, counted from 0 */ readonly row?: number;
  /** counted from 0, in the order of the output */ readonly timeStep?: number;
  readonly unit?: number;
  /** of the gradient of a weight with the gates side by side */ readonly gate?: string;
  /** where the shapes differ, so that no numbers were compared; one is absent where there is no such tensor */ readonly shapes?: {
    readonly given?: readonly number[];
    readonly expected?: readonly number[];
  };
  readonly given: number;
  readonly expected: number;
  /** largest |error| over what rounding may do */ readonly used: number;
  readonly causes: readonly Cause[];
}

/** The judged tensors of each layer that has a wrong one, those first that are wrong. */
export function wrongLayers(judged: readonly JudgedTensor[]): JudgedTensor[][] {
  const isWrong = ({ status }: JudgedTensor): boolean => status === 'beyond' || status === 'shape';
  const layers = [...new Set(judged.filter(isWrong).map(({ layer }) => layer))];
  return layers.map((layer) =>
    judged.filter((one) => one.layer === layer).toSorted((a, b) => Number(isWrong(b)) - Number(isWrong(a))),
  );
}

/** The first time step at which a number is beyond its budget, and the worst number there. */
export function placeOf(model: ModelDescription, judged: JudgedTensor, causes: readonly Cause[]): Difference {
  const { layer, state, gradientOf, given, expected, shares, status } = judged;
  const isWeight = gradientOf !== undefined && gradientOf in layer.weights;
  const [, ...sizes] = isWeight && expected.shape.length === 1 ? [1, ...expected.shape] : expected.shape;
  const width = sizes[sizes.length - 1];
  const timeSteps = sizes.length === 2 ? sizes[0] : 1;
  let at = judged.worst;
  if (status !== 'shape' && !isWeight) {
    const stepOf = (i: number): number => Math.floor(i / width) % timeSteps;
    const wrong = [...shares.keys()].filter((i) => shares[i] > 1);
    const first = wrong.reduce((step, i) => Math.min(step, stepOf(i)), Infinity);
    at = wrong
      .filter((i) => stepOf(i) === first)
      .reduce((worst, i) => (shares[i] > shares[worst] ? i : worst), wrong.at(0) ?? at);
  }
  const output = state === undefined ? 'output' : `final state ${state + 1}`;
  const gates = isWeight ? gatesOf(layer) : [];
  const column = at % width;
  return {
    layerNumber: model.layers.findIndex(({ name }) => name === layer.name) + 1,
    layer: layer.name,
    kind: layer.kind,
    tensor:
      gradientOf === undefined
        ? output
        : `gradient of ${isWeight || gradientOf.startsWith('the input') ? gradientOf : `its ${output}`}`,
    ...(isWeight
      ? { ...(expected.shape.length > 1 && { row: Math.floor(at / width) }) }
      : { example: Math.floor(at / (width * timeSteps)) }),
    ...(!isWeight && sizes.length === 2 && { timeStep: Math.floor(at / width) % timeSteps }),
    unit: gates.length > 0 ? column % (width / gates.length) : column,
    ...(gates.length > 0 && { gate: gates[Math.floor(column / (width / gates.length))] }),
    ...(status === 'shape' && { shapes: { given: given.shape, expected: expected.shape } }),
    given: given.data[at],
    expected: expected.data[at],
    used: judged.used,
    causes,
  };
}
