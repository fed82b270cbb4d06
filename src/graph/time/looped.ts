import type { AnyTensor, GraphTensor, Ops } from '../builder/index';
import type { States, Tensors } from '../cells/index';
import { stepBackward, stepForward, stepsOf, type Carried, type WalkThroughTime } from './walk';

type List = GraphTensor<'variant'>;
type Variables = Readonly<Record<string, AnyTensor>>;

/**
 * The walk as a While loop: one small graph for any number of time steps, at the price of a loop's bookkeeping per step.
 * The same steps as in `unrolled`; what a step leaves goes into lists.
 */
export const looped: WalkThroughTime = (g, input) => {
  const { cell, constants, units, parts, goBackwards, sizes } = input;
  const timeSteps = g.reshape(sizes.timeSteps, g.int([], [0]));
  const listOfRows = (rows: GraphTensor): List => g.listFromTensor(stepsOf(g, rows, sizes));
  const rowsOfList = (list: List, width: GraphTensor<'int32'>): GraphTensor =>
    g.reshape(g.listStack(list), g.concat([g.int([-1]), width], 0));
  const stateShape = g.concat([sizes.batch, units], 0);
  const zeros = (): GraphTensor => g.fill(stateShape, g.float(0));

  const names = cell.states;
  const initial = fromNames(names, (name) => input.initial[name] ?? zeros());
  const masks = input.mask && { mask: g.listFromTensor(input.mask) };
  /** where step t of the input finds the states before it and leaves those after it, in lists of T + 1 */
  const [beforeIt, afterIt] = goBackwards ? [1, 0] : [0, 1];
  const first = goBackwards ? timeSteps : g.int(0);
  const place = (f: Ops, n: GraphTensor<'int32'>, end: AnyTensor) =>
    goBackwards ? f.sub(f.sub(end as GraphTensor<'int32'>, f.int(1)), n) : n;

  const forward = g.whileLoop<Variables>({
    name: 'forward',
    variables: {
      ...{ n: g.int(0), timeSteps, units },
      ...prefixed(
        'x',
        fromNames(parts.keys(), (i) => listOfRows(parts[i])),
      ),
      ...prefixed('now', initial),
      ...prefixed('all', fromNames(names, (name) =>
        g.listSet(g.listReserve(g.add(timeSteps, g.int(1))), first, initial[name]))), // prettier-ignore
      ...prefixed(
        'kept',
        fromNames(cell.keeps, () => g.listReserve(timeSteps)),
      ),
      ...prefixed('constant', constants.forward),
      ...masks,
    },
    condition: (f, { n, timeSteps: end }) => f.less(int(n), int(end)),
    body: (f, loop) => {
      const t = place(f, int(loop['n']), loop['timeSteps']);
      const x = Object.values(unprefixed('x', loop)).map((list) => f.listGet(variant(list), t, 'float32'));
      const { after, kept } = stepForward(
        f,
        {
          ...{ cell, x, before: unprefixed('now', loop), units: int(loop['units']) },
          mask: 'mask' in loop ? f.listGet(variant(loop['mask']), t, 'bool') : undefined,
        },
        unprefixed('constant', loop) as Tensors,
      );
      const target = f.add(t, f.int(afterIt));
      return {
        n: f.add(int(loop['n']), f.int(1)),
        ...prefixed('now', after),
        ...prefixed('all', fromNames(names, (name) =>
          f.listSet(variant(loop[`all_${name}`]), target, after[name] as GraphTensor))), // prettier-ignore
        ...prefixed('kept', fromNames(cell.keeps, (name) =>
          f.listSet(variant(loop[`kept_${name}`]), t, kept[name]))), // prettier-ignore
      };
    },
  });
  const all = rowsOfList(variant(forward['all_h']), units);
  const rowsFrom = (step: number): GraphTensor =>
    g.slice(
      all,
      g.concat([step === 0 ? g.int([0]) : sizes.batch, g.int([0])], 0),
      g.concat([g.mul(sizes.batch, sizes.timeSteps), g.int([-1])], 0),
    );

  return {
    finalStates: unprefixed('now', forward) as unknown as Carried,
    states: () => rowsFrom(afterIt),
    backward: (upstream) =>
      g.scope('backward', () => {
        const { finalStates, states } = upstream;
        const back = g.whileLoop<Variables>({
          name: 'steps',
          variables: {
            ...{ n: g.sub(timeSteps, g.int(1)), timeSteps },
            ...(states && { arriving: listOfRows(states) }),
            ...prefixed(
              'd',
              fromNames(names, (name) => finalStates[name] ?? zeros()),
            ),
            ...prefixed(
              'row',
              fromNames(Object.keys(cell.rows), () => g.listReserve(timeSteps)),
            ),
            ...prefixed(
              'all',
              fromNames(names, (name) => forward[`all_${name}`]),
            ),
            ...prefixed(
              'kept',
              fromNames(cell.keeps, (name) => forward[`kept_${name}`]),
            ),
            ...prefixed('constant', constants.backward),
            ...masks,
          },
          condition: (f, { n }) => f.less(f.int(-1), int(n)),
          body: (f, loop) => {
            const t = place(f, int(loop['n']), loop['timeSteps']);
            const get = (list: AnyTensor, index = t) => f.listGet(variant(list), index, 'float32');
            const statesAt = (offset: number): States =>
              fromNames(names, (name) => get(loop[`all_${name}`], f.add(t, f.int(offset))));
            const d = unprefixed('d', loop) as unknown as Carried;
            const { dBefore, rows } = stepBackward(
              f,
              cell,
              'mask' in loop ? f.listGet(variant(loop['mask']), t, 'bool') : undefined,
              { ...d, h: 'arriving' in loop ? f.add(d.h, get(loop['arriving'])) : d.h },
              {
                before: statesAt(beforeIt),
                after: statesAt(afterIt),
                kept: fromNames(cell.keeps, (name) => get(loop[`kept_${name}`])),
              },
              unprefixed('constant', loop) as Tensors,
            );
            return {
              n: f.sub(int(loop['n']), f.int(1)),
              ...prefixed('d', dBefore),
              ...prefixed('row', fromNames(Object.keys(cell.rows), (name) =>
                f.listSet(variant(loop[`row_${name}`]), t, rows[name]))), // prettier-ignore
            };
          },
        });
        const rows = fromNames(Object.keys(cell.rows), (name) =>
          rowsOfList(variant(back[`row_${name}`]), g.mul(units, g.int([cell.rows[name]]))),
        );
        return {
          all: { rows, before: rowsFrom(beforeIt) },
          initial: unprefixed('d', back),
        };
      }),
  };
};

function fromNames<K extends string | number, T>(names: Iterable<K>, make: (name: K) => T): Record<K, T> {
  return Object.fromEntries([...names].map((name) => [name, make(name)])) as Record<K, T>;
}

/** Variables of a loop have one name space: those of a group start with its name. */
function prefixed<T>(group: string, tensors: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(tensors).map(([name, x]) => [`${group}_${name}`, x]));
}

function unprefixed(group: string, variables: Variables): Variables {
  const start = `${group}_`;
  const own = Object.entries(variables).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(own.map(([name, x]) => [name.slice(start.length), x]));
}

function int(x: AnyTensor): GraphTensor<'int32'> {
  return x as GraphTensor<'int32'>;
}

function variant(x: AnyTensor): List {
  return x as List;
}
