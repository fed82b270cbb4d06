import { isRecurrent, type Block, type Network } from '../../equations/index';
import type { EquationFault } from './fault';
import {
  layerFault,
  passFault,
  withBlocks,
  type About,
  type Change,
  type Recurrent,
  type Run,
} from './pass-fault';

/** Mistakes in gradients that are otherwise computed rightly: in another order, transposed, summed over the batch. */
export function gradientFaults(layer: Recurrent): EquationFault[] {
  const { name: own, cell, units } = layer;
  const fault = (words: string, about: Omit<About, 'layer' | 'phase'>, change: Change): EquationFault =>
    layerFault(words, { ...about, layer: own, phase: 'backward' }, change);
  const weights = Object.entries(cell.weights);
  const axes = [...new Map(weights.map(([, { columns }]) => [columns.join(), columns])).values()];
  return [
    ...axes
      .filter((axis) => axis.length > 1 && !axis.includes('F'))
      .flatMap((axis) =>
        pairsOf(axis).map(([one, other]) => {
          const alike = weights.filter(([, { columns }]) => columns.join() === axis.join());
          const names = (of: typeof weights): string[] => of.map(([weight]) => `gradients.${own}.${weight}`);
          const from = axis.map((block) =>
            axis.indexOf(block === one ? other : block === other ? one : block),
          );
          return fault(
            `the gradients of gates ${one} and ${other} are exchanged`,
            { quantity: `gradients.${alike[0][0]}`, page: 'weights-import' },
            () =>
              // of all weights, or of the matrices alone
              [alike, alike.filter(([, { rows }]) => rows !== undefined)]
                .filter(({ length }) => length > 0)
                .map((of) => ({
                  isRightForward: true as const,
                  finish: eachBlock(names(of), (block) => {
                    const { columns } = block;
                    return (i) =>
                      i - (i % columns) + from[Math.floor((i % columns) / units)] * units + (i % units);
                  }),
                })),
          );
        }),
      ),
    ...weights
      .filter(([, { rows, columns }]) => rows?.join() === 'U' && columns.length > 1 && !columns.includes('F'))
      .map(([weight]) =>
        fault(
          `the gradient of ${weight} is transposed in all gates`,
          { quantity: `gradients.${weight}`, page: 'transpose' },
          () => ({
            isRightForward: true as const,
            finish: eachBlock([`gradients.${own}.${weight}`], ({ columns }) => (i) => {
              const [row, column] = [Math.floor(i / columns), i % columns];
              return (column % units) * columns + column - (column % units) + row;
            }),
          }),
        ),
      ),
    ...cell.carries.map((carry) =>
      fault(
        `the gradient of the initial state ${carry} is summed over the batch`,
        { quantity: `gradients.initial.${carry}`, page: 'initial-state' },
        (_, { inputs: { shape } }) =>
          shape[0] === 1
            ? undefined
            : { isRightForward: true as const, finish: summedOverBatch(`gradients.${own}.initial.${carry}`) },
      ),
    ),
  ];
}

/** Mistakes in the gradient of the inputs, which all first layers add to. */
export function inputGradientFaults({ layers }: Network): EquationFault[] {
  const readers = layers.filter(isRecurrent).filter(({ reads }) => reads === 'inputs');
  // integers have no gradient
  if (readers.some(({ integers }) => integers === true)) return [];
  const [first] = readers;
  const isBackwards = readers.length === 1 && first.reversed === true;
  const about = { quantity: 'gradients.inputs', page: 'wrong-time-step', phase: 'backward' } as const;
  const ofSteps = (words: string, from: (t: number, last: number) => number): EquationFault =>
    passFault(
      words,
      { ...about, ...(readers.length === 1 && { layer: first.name }) },
      (_, { inputs: { shape } }) =>
        shape[1] === 1
          ? undefined
          : {
              isRightForward: true,
              finish: withBlocks(['gradients.inputs'], (blocks) =>
                blocks.map((__, t) => blocks[from(t, blocks.length - 1)]),
              ),
            },
    );
  return [
    ofSteps('the gradients of the inputs are stored in the order of the walk back', (t, last) => last - t),
    ofSteps(
      "every step stores its input's gradient in the same array: all are those of the first step",
      (_, last) => (isBackwards ? last : 0),
    ),
  ];
}

export function pairsOf<T>(all: readonly T[]): (readonly [T, T])[] {
  return all.flatMap((one, i) => all.slice(i + 1).map((other) => [one, other] as const));
}

/** The numbers of some tensors in other places, and what is known of their errors with them. */
function eachBlock(
  names: readonly string[],
  from: (block: Block) => (i: number) => number,
): NonNullable<Run['finish']> {
  return withBlocks(names, (blocks) => blocks.map((block) => rearranged(block, from(block))));
}

function rearranged<V extends Block>(block: V, from: (i: number) => number): V {
  const parts = Object.entries(block).map(([key, part]: [string, unknown]) => [
    key,
    part instanceof Float64Array ? part.map((_, i) => part[from(i)]) : part,
  ]);
  return Object.fromEntries(parts) as V;
}

function summedOverBatch(tensor: string): NonNullable<Run['finish']> {
  return withBlocks([tensor], ([block], arithmetic) => [
    arithmetic.below(new Array<typeof block>(block.rows).fill(arithmetic.outer([{ right: block }]))),
  ]);
}
