import { zeros, type Tensor } from '../../../scratch/index';
import {
  cellOf,
  evaluateNetwork,
  forwardOnly,
  withSteps,
  within,
  type Block,
  type Cell,
  type Expression,
  type Network,
  type NetworkProblem,
  type Ran,
} from '../../equations/index';
import { memoize } from '../../base/memoize';
import { readersOf } from './arriving-faults';
import { zeroLike } from './changes';
import type { EquationFault } from './fault';
import { complete, everywhere, isBefore } from './forward-faults';
import {
  inOrderOfWalk,
  layerFault,
  passFault,
  withBlocks,
  withLayer,
  type About,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Mistakes in what a layer keeps from step to step, from example to example, and hands over at the end. */
export function tapeFaults(layer: Recurrent): EquationFault[] {
  const { name, cell, reversed } = layer;
  const [output] = cell.carries;
  const fault = (words: string, about: Partial<About>, change: Change): EquationFault =>
    layerFault(words, { layer: name, quantity: output, page: 'memory', ...about }, change);
  return [
    fault('every step stores the same array: all states are the last one', {}, () => ({
      ran: (own, ran) =>
        own === name ? { ...ran, sequence: ran.sequence.map(() => ran.final[output]) } : ran,
    })),
    ...readBack(cell).map((carry) =>
      fault(
        `the walk back reads one array for ${carry}_(t-1) of all steps: that of the last step`,
        { phase: 'backward', quantity: 'gradients.recurrentKernel' },
        () => ({ isRightForward: true, back: keepingLast(name, carry) }),
      ),
    ),
    fault('an example starts from the last state of the example before it', {}, (network, problem) =>
      [...cell.carries.map((carry) => [carry]), ...(cell.carries.length < 2 ? [] : [cell.carries])].flatMap(
        (carries) => acrossExamples(network, problem, layer, carries),
      ),
    ),
    ...cell.carries
      .filter((carry) => cell.equations.some(({ right }) => reads(right, carry)))
      .flatMap((carry) =>
        ([carry, olderName] as const).map((kept) =>
          fault(
            kept === carry
              ? `${carry}_(t-2) instead of ${carry}_(t-1)`
              : `the initial ${carry} instead of ${carry}_(t-1): the state is not handed on`,
            { page: 'previous-state' },
            (network, { initialStates, ...rest }) => {
              const own = initialStates?.[name];
              const first = own?.[carry];
              const states = first && { ...initialStates, [name]: { ...own, [olderName]: first } };
              return {
                network: withLayer(network, {
                  ...layer,
                  cell: olderCells(cell).get(`${carry} ${kept}`) ?? cell,
                }),
                problem: { ...rest, ...(initialStates && { initialStates: states ?? initialStates }) },
              };
            },
          ),
        ),
      ),
    ...[2, 3, 4, 5].map((k) =>
      fault(`the states are set to zero every ${k} time steps`, { page: 'truncated' }, (_, { inputs }) => {
        const last = inputs.shape[1] - 1;
        const anew = forgetting(cell);
        return last < k
          ? undefined
          : {
              cellAt: (own, t) => {
                const step = reversed === true ? last - t : t;
                return own === name && step > 0 && step % k === 0 ? anew : undefined;
              },
            };
      }),
    ),
    finalFault(layer, 'that of the first step', (steps) => steps.at(0)),
    finalFault(layer, 'that of the step before the last', (steps) => steps.at(-2)),
    ...(reversed === true
      ? [
          finalFault(layer, 'that of the last time step, where the walk backwards begins', (steps) =>
            steps.at(0),
          ),
          notTurned(name),
        ]
      : []),
  ];
}

/** Carries whose value before a step the step back reads. */
function readBack({ carries, backward }: Cell): readonly string[] {
  const { equations, toBefore, toInput, shares } = backward;
  const used = [
    ...[...equations, ...shares].map(({ right }) => right),
    ...[...Object.values(toBefore).flat(), ...toInput].map(({ of }) => of),
    ...shares.flatMap(({ left }) => left ?? []),
  ];
  return carries.filter((carry) => used.some((one) => reads(one, carry)));
}

function keepingLast(layer: string, carry: string): NonNullable<Run['back']> {
  return (forward) =>
    withSteps(forward, (steps, _, own) => {
      const last = steps.at(-1)?.before[carry];
      return own !== layer || last === undefined
        ? steps
        : steps.map((step) => ({ ...step, before: { ...step.before, [carry]: last } }));
    });
}

/** Each example starts from the final states of the one before it, the first from its own. */
function acrossExamples(
  network: Network,
  problem: NetworkProblem,
  { name, units }: Recurrent,
  carries: readonly string[],
): Run[] {
  const [batch] = problem.inputs.shape;
  if (batch === 1) return [];
  const own = (carry: string): Tensor => problem.initialStates?.[name]?.[carry] ?? zeros(batch, units);
  let states = Object.fromEntries(carries.map((carry) => [carry, own(carry)]));
  const made = (): NetworkProblem => ({
    ...problem,
    initialStates: { ...problem.initialStates, [name]: { ...problem.initialStates?.[name], ...states } },
  });
  // each run gives the states that the next example starts from
  for (let b = 1; b < batch; b++) {
    const final = evaluateNetwork(network, forwardOnly(made()));
    states = Object.fromEntries(
      carries.map((carry): [string, Tensor] => {
        const data = new Float64Array(batch * units);
        data.set(own(carry).data.subarray(0, units));
        data.set(final.get(`final.${name}.${carry}`)?.data.subarray(0, (batch - 1) * units) ?? [], units);
        return [carry, { data, shape: [batch, units] }];
      }),
    );
  }
  return [{ problem: made() }];
}

/** How the state of the step before the one before is called. */
const olderName = 'older';

function reads(expression: Expression, carry: string): boolean {
  return [...within(expression)].some((one) => isBefore(one, carry));
}

/** The cell of a step that begins with states of zero. */
const forgetting = memoize((cell: Cell): Cell =>
  complete(
    cellOf({
      ...cell,
      equations: cell.equations.map((own) => ({
        ...own,
        right: everywhere(own.right, (one) =>
          cell.carries.some((carry) => isBefore(one, carry)) ? zeroLike(one) : one,
        ),
      })),
    }),
  ),
);

/** The cell with one carry more, read instead of another one: what that was before the step, or what it was at first. */
const olderCells = memoize(
  (cell: Cell): ReadonlyMap<string, Cell> =>
    new Map(
      cell.carries.flatMap((carry) =>
        [carry, olderName].map((kept) => [`${carry} ${kept}`, withOlder(cell, carry, kept)] as const),
      ),
    ),
);

function withOlder(cell: Cell, carry: string, kept: string): Cell {
  const axis = cell.axes.get(carry) ?? ['U'];
  const equations = cell.equations.map((own) => ({
    ...own,
    right: everywhere(own.right, (one) => (isBefore(one, carry) ? { ...one, name: olderName } : one)),
  }));
  const before: Expression = { op: 'quantity', name: kept, when: 'before', axis };
  return complete(
    cellOf({
      ...cell,
      carries: [...cell.carries, olderName],
      equations: [...equations, { left: olderName, right: before }],
      axes: new Map([...cell.axes, [olderName, axis]]),
    }),
  );
}

/** What reads the final state gets that of another step, or the initial state where there is none; the answer shows either of them. */
function finalFault(
  { name, cell, reversed }: Recurrent,
  words: string,
  pick: <V>(statesInOrder: readonly V[]) => V | undefined,
): EquationFault {
  const [output] = cell.carries;
  // the first wrong number is in the layer, or in what reads it: the fault has no layer
  const sentence = `the final state of ${name} is ${words}`;
  return passFault(sentence, { quantity: output, page: 'wrong-time-step' }, (network) => {
    let right: unknown;
    const ran = <V extends Block>(own: string, one: Ran<V>): Ran<V> => {
      if (own !== name) return one;
      right = one.final[output];
      const states = reversed === true ? one.sequence.toReversed() : one.sequence;
      return { ...one, final: { ...one.final, [output]: pick(states) ?? one.steps[0].before[output] } };
    };
    const finish = withBlocks([`final.${name}.${output}`], <V extends Block>() => [right as V]);
    return readersOf(network, name).final ? [{ ran }, { ran, finish }] : { ran };
  });
}

/** What reads a layer that walks backwards gets its outputs in the order of the walk; the answer shows either order. */
function notTurned(name: string): EquationFault {
  return passFault(
    `the outputs of ${name} are in the order of its walk, from the last time step to the first`,
    { quantity: 'h', page: 'other-layer' },
    (network, { inputs }) => {
      if (inputs.shape[1] === 1) return undefined;
      const ran = <V extends Block>(own: string, one: Ran<V>): Ran<V> =>
        own === name ? { ...one, sequence: one.sequence.toReversed() } : one;
      return readersOf(network, name).steps ? [{ ran }, { ran, finish: inOrderOfWalk(name) }] : { ran };
    },
  );
}
