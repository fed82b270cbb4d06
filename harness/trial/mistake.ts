import type { AnyProblem, Implementation } from '../base/problem';
import type { Diagnosis, FaultClass } from '../diagnosis/index';
import { lookAt, sideOfScratch } from './look';
import { oracles, type Outcome, type Planted } from './score-book';

/** A mistake that is planted, and what the harness must say of it. */
export interface Mistake extends Planted {
  plantIn(host: Implementation): Implementation;
  isLocated(found: Diagnosis | undefined): boolean;
  /** the place in words */ readonly place: string;
  /** whether the right fault class is named */ isKind(kind: FaultClass): boolean;
  /** whether its own name, or an equal one, is among the names */ isName(kind: FaultClass): boolean;
}

/** Plants a mistake in a host, then on the scratch side with the host as the right twin, and asks the harness. */
export async function tryMistake(
  mistake: Mistake,
  problem: AnyProblem,
  host: Implementation,
  float64: Implementation,
): Promise<Outcome> {
  const { caught, isFailing, diagnosis } = await lookAt(mistake.plantIn(host), problem);
  const kind = diagnosis?.kind;
  const twin = host.name === float64.name ? { ...float64, name: 'twin' } : host;
  return {
    where: `${host.name}, ${problem.id}`,
    by: oracles.filter((oracle) => oracle !== 'training' && caught[oracle]),
    isCaught: isFailing,
    diagnosis,
    isLocated: mistake.isLocated(diagnosis),
    place: mistake.place,
    host: host.name,
    isKind: kind !== undefined && mistake.isKind(kind),
    isName: kind !== undefined && mistake.isName(kind),
    sideOfScratch: await sideOfScratch(problem, mistake.plantIn(float64), twin),
  };
}
