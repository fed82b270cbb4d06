import type { Tensor } from '../../scratch/index';
import type { Axis } from '../base/problem';
import type { NetworkStep, PrecisionModel } from '../budget/index';
import { formulaOf, type Network } from '../equations/index';
import { judgeNumbers } from './judge-tensor';
import { deviationsInWords } from './tolerance';
import type { Side, TensorVerdict } from './verdict';

export interface LocalOptions {
  /** tensors that the side declared not to give: what cannot be seen without them is counted as omitted */
  readonly omits?: readonly string[] | undefined;
  /** default: the problem's id */ readonly caseId?: string;
}

/** One kind of equation, for all its elements: what it should give from the side's own earlier values, and what it gave. */
export interface LocalEquation {
  /** `states`, `dPreActivations`, `gradients.kernel`, ... */ readonly name: string;
  /** its name in `stepsOfNetwork`: `rnn.h`, `layer2.dz[f]` */ readonly own: string;
  /** the equation in letters */ readonly formula: string;
  readonly axes: readonly Axis[];
  /** computed in float64 from the side's own values */ readonly expected: Tensor;
  readonly given: Tensor;
}

/** One kind of equation, what every element of it may be off, and how it fared. */
export interface JudgedEquation {
  readonly equation: LocalEquation;
  readonly allowed: Float64Array;
  readonly verdict: TensorVerdict;
}

interface StepToJudge {
  /** as reports name it */ readonly name: string;
  readonly axes: readonly Axis[];
  readonly step: NetworkStep;
  readonly network: Network;
  /** its name in `stepsOfNetwork` */ readonly own: string;
  readonly caseId: string;
  readonly side: Side;
  readonly model: PrecisionModel;
}

/** Judges one equation of any network by itself. */
export function judgeStep({
  name,
  axes,
  step,
  network,
  own,
  caseId,
  side,
  model,
}: StepToJudge): JudgedEquation {
  const formula = formulaOf(network, own);
  const expected = { data: step.value, shape: step.shape };
  const given = { data: step.given, shape: step.shape };
  const judged = judgeNumbers({
    implementation: side.name,
    caseId,
    name,
    expected: { reference: expected, axes },
    given,
    model,
    mean: false,
    spread: step.spread,
    inWords: (stage) =>
      `local: ${formula}, from the side's own values; the smaller of the rigorous bound of this one step and ${deviationsInWords(stage).replace(/,$/, '')}`,
  });
  return { equation: { name, own, formula, axes, expected, given }, ...judged };
}
