import { isRecurrent, type Network, type NetworkProblem } from '../../equations/index';
import type { Answer, Family, FirstWrong } from './family';
import type { EquationFault } from './fault';
import { exactFault, rightOutcome } from './faults-of-network';
import { cellFamilies } from './fitted-cell';
import { groupFamilies } from './fitted-gradients';
import { lossFamilies } from './fitted-loss';
import { layerFault, passFault } from './pass-fault';

/**
 * Mistakes with a number in them that no catalogue can list: a factor, a constant that is added, a threshold, a temperature. The number
 * is read off the answer, or fitted to it. Of each there are several: with few digits of the number, then with all.
 */
export function fittedFaults(
  network: Network,
  problem: NetworkProblem,
  given: Answer,
  place: FirstWrong,
): readonly (readonly EquationFault[])[] {
  return familiesAt(network, place).map((family) => {
    const faultOf = faultsOfFamily(family);
    const found = family.read?.(given) ?? numbersThatFit(network, problem, given, family.right, faultOf);
    return found.flatMap((n) => {
      if (!Number.isFinite(n)) return [];
      const numbers = [1, 2, 3, 4, 6, 9].map((digits) => Number(n.toPrecision(digits)));
      const shown = numbers[numbers.length - 1];
      if (shown === family.right) return [];
      return [...new Set([...numbers, n])].flatMap((own) =>
        own === family.right ? [] : [faultOf(own, String(own === n ? shown : own))],
      );
    });
  });
}

/** The mistake of the loss, or of gradients of weights together, with the number in its name: `labels are smoothed by 0.1`. */
export function fittedNamed(network: Network, name: string): EquationFault | undefined {
  const numbers = [...name.matchAll(/\d[\d.]*(?:e-?\d+)?/g)].map(([n]) => n);
  const places: readonly FirstWrong[] = [
    { phase: 'loss', layer: 'head', quantity: 'loss' },
    { phase: 'backward', layer: 'head', quantity: 'dLogits' },
    { phase: 'backward', quantity: 'gradients.kernel' },
  ];
  for (const place of places)
    for (const family of familiesAt(network, place)) {
      const number = numbers.find((n) => family.words(n) === name);
      if (number !== undefined) return faultsOfFamily(family)(Number(number), number);
    }
  return undefined;
}

/** What may begin at that place. */
function familiesAt(network: Network, place: FirstWrong): Family[] {
  const { layer, phase } = place;
  const own = network.layers.filter(isRecurrent).filter(({ name }) => name === layer);
  // no answer shows what an embedding gives out
  const embeddings = network.layers
    .filter(isRecurrent)
    .filter(({ name, integers }) => integers === true && own.some(({ reads }) => reads === name));
  return [
    ...(phase === 'forward' ? [] : [...lossFamilies(network, place), ...groupFamilies(network, place)]),
    ...[...embeddings, ...own].flatMap((one) => cellFamilies(one, place)),
  ];
}

const faultsOfFamily =
  ({ about, words, change }: Family) =>
  (n: number, shown: string): EquationFault => {
    const { layer } = about;
    return layer === undefined || layer === 'head'
      ? passFault(words(shown), about, change(n))
      : layerFault(words(shown), { ...about, layer }, change(n));
  };

/** The numbers whose networks answer most alike: for each faulty network of a mistake, and by the forward pass alone. */
function numbersThatFit(
  network: Network,
  problem: NetworkProblem,
  given: Answer,
  right: number,
  faultOf: ReturnType<typeof faultsOfFamily>,
): readonly number[] {
  const expected = rightOutcome(network)(problem);
  const all = [...given.keys()];
  // after a wrong forward pass a program may have gradients of its own
  const forward = all.filter((name) => !name.startsWith('gradients.'));
  const { phase, runs } = faultOf(right + 1, '');
  const faulty = runs(network, problem);
  const first = faulty.at(0);
  if (first === undefined) return [];
  // a mistake of the forward pass is fitted to the forward pass alone
  const byAll = phase === 'forward' ? [] : faulty.map((_, way) => [way, all] as const);
  const byForward = first.isRightForward === true ? [] : [[0, forward] as const];
  return [...byAll, ...byForward].map(([way, names]) => {
    // every tensor counts alike, however large its numbers are
    const numbersOf = (answer: Answer): number[] =>
      names.flatMap((name) => {
        const size = expected.get(name)?.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) ?? 0;
        return Array.from(answer.get(name)?.data ?? [], (x) => x / (size || 1));
      });
    const at = (n: number): number[] => {
      const made = exactFault(faultOf(n, '').runs(network, problem)[way]);
      return numbersOf(names === forward ? made.forward : made.whole());
    };
    return secant(at, numbersOf(given), right);
  });
}

/** Of what is wrong a number must explain all but this share, and this share after a few steps. */
const [mostRest, mostAtFirst] = [1 / 4, 3 / 4];

/** The number at which a function comes nearest to what is wanted: one step where it is linear. NaN where that is not near. */
function secant(at: (n: number) => readonly number[], wanted: readonly number[], right: number): number {
  let [before, here] = [right, right + 1 / 64];
  let last = at(before);
  const offFrom = (own: readonly number[]): number => Math.hypot(...wanted.map((x, k) => x - own[k]));
  const whole = offFrom(last);
  for (let i = 0; i < 12; i++) {
    const own = at(here);
    if (own.length !== wanted.length || (i > 2 && !(offFrom(own) < mostAtFirst * whole))) return NaN;
    let [both, square] = [0, 0];
    for (const [k, x] of own.entries()) {
      const slope = (x - last[k]) / (here - before);
      both += slope * (wanted[k] - x);
      square += slope * slope;
    }
    const move = both / square;
    if (!Number.isFinite(move)) return NaN;
    [before, last, here] = [here, own, here + move];
    // after a smaller step the slope would be rounding
    if (Math.abs(move) <= 1e-7 * Math.abs(here - right)) break;
  }
  return offFrom(last) <= mostRest * whole ? here : NaN;
}
