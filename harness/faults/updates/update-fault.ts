import type { OptimizerConfig } from '../../../scratch/index';
import type { Fault } from '../fault';
import type { OptimizerClass, UpdateQuestion, WeightName } from './hand-optimizer';

/** The part of an update whose equation is wrong; `gradient` is what enters the memory, or the step where there is no memory. */
export type UpdatePart = 'loss' | 'gradient' | 'velocity' | 'm' | 'v' | 'weights';

/** A fault of the optimizer: an update that is wrong in one place, though the gradients are right. */
export interface UpdateFault extends Pick<Fault, 'name' | 'words' | 'family'> {
  readonly phase: 'update' | 'loss';
  readonly optimizer: OptimizerClass;
  /** whether this update can show it */ readonly shows: (question: UpdateQuestion) => boolean;
  /** why every update that cannot show it is right: the proof, in a sentence */ readonly equivalent?: string;
  /** where its first wrong number is */ readonly wrong: UpdatePart;
  /** where only some weights are wrong: these */ readonly only?: readonly WeightName[];
}

/** The first wrong quantity, as a diagnosis names it: the group before the dot of `velocity.kernel`. */
export function firstWrong({ wrong }: UpdateFault, optimizer: OptimizerConfig): string {
  if (wrong !== 'gradient') return wrong;
  if (optimizer.name === 'adam') return 'm';
  return (optimizer.momentum ?? 0) > 0 ? 'velocity' : 'weights';
}

type Condition = (question: UpdateQuestion) => boolean;

export const always: Condition = () => true;
export const every =
  (...conditions: readonly Condition[]): Condition =>
  (question) =>
    conditions.every((condition) => condition(question));
export const isAdam: Condition = ({ optimizer }) => optimizer.name === 'adam';
export const hasMomentum: Condition = ({ optimizer }) =>
  optimizer.name === 'sgd' && (optimizer.momentum ?? 0) > 0;
export const hasNesterov: Condition = ({ optimizer }) =>
  optimizer.name === 'sgd' && (optimizer.momentum ?? 0) > 0 && optimizer.nesterov === true;
export const isPlain: Condition = ({ optimizer }) =>
  optimizer.name === 'sgd' && (optimizer.momentum ?? 0) === 0;
/** an update before this one has left something */ export const remembers: Condition = ({ state }) =>
  state.step > 0;
export const not =
  (condition: Condition): Condition =>
  (question) =>
    !condition(question);
