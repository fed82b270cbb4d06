import { zeros } from '../../../scratch/index';
import type { Arithmetic, Block, Network } from '../../equations/index';
import type { EquationFault } from './fault';
import { changedOuter, passFault, scaled, times, withWeights, type About, type Change } from './pass-fault';
import { examples } from './walk-faults';

/** A mistake that is a wrong factor of the loss, of its gradient or of both. */
type ScaledLoss = readonly [
  name: string,
  about: Omit<About, 'layer' | 'page'> & { readonly page?: string },
  of: 'loss' | 'dLogits' | 'both',
  factor: (live: number, timeSteps: number, rows: number) => number,
];

/** Mistakes of the dense layer and the loss. */
export function headFaults({ head }: Network): EquationFault[] {
  if (head === undefined) return [];
  const own = head.direct === true ? [] : ['kernel', 'bias'];
  const fault = (name: string, about: ScaledLoss[1], change: Change) =>
    passFault(name, { page: 'loss', ...about, layer: 'head' }, change);
  const loss = { phase: 'loss', quantity: 'loss' } as const;
  const dLogits = { phase: 'backward', quantity: 'dLogits' } as const;
  const dLogitsOfMean = { ...dLogits, page: 'batch-mean' };
  const scaledLosses = (...rows: readonly ScaledLoss[]): EquationFault[] =>
    rows.map(([name, about, of, factor]) => fault(name, about, lossTimes(of, factor)));
  return [
    ...scaledLosses(
      ['the loss is summed over the batch instead of averaged', loss, 'both', (rows) => rows],
      [
        'the gradient of the logits is not divided by the batch size',
        dLogitsOfMean,
        'dLogits',
        (rows) => rows,
      ],
      [
        'the gradient of the logits is divided by the batch size twice',
        dLogitsOfMean,
        'dLogits',
        (rows) => 1 / rows,
      ],
      ['the gradient of the logits has the wrong sign', dLogits, 'dLogits', () => -1],
      ['the loss has the wrong sign', loss, 'loss', () => -1],
      ['the loss is in bits: log2 instead of ln', loss, 'loss', () => Math.LOG2E],
      [
        'the loss is divided by the number of time steps as well, and so is its gradient',
        loss,
        'both',
        (_, timeSteps) => 1 / timeSteps,
      ],
      [
        'the loss is divided by the number of time steps as well, but not its gradient',
        loss,
        'loss',
        (_, timeSteps) => 1 / timeSteps,
      ],
      [
        'the gradient of the logits is divided by the number of time steps as well',
        dLogits,
        'dLogits',
        (_, timeSteps) => 1 / timeSteps,
      ],
    ),
    ...(head.loss === 'softmax'
      ? [
          ...scaledLosses([
            'the gradient of the logits is divided by the number of classes as well',
            dLogits,
            'dLogits',
            () => 1 / head.classes,
          ]),
          fault(
            'the label is not subtracted: the gradient of the logits is p instead of p - onehot',
            dLogits,
            lossGradient((arithmetic, { outputs }, live) => times(arithmetic, outputs, 1 / live)),
          ),
          fault(
            'the gradient of the logits is multiplied by p (1 - p), although p - onehot contains the derivative of the softmax',
            dLogits,
            lossGradient((arithmetic, { outputs, dLogits: right }) => {
              const one = arithmetic.given(
                '',
                outputs.value.map(() => 1),
                outputs.rows,
              );
              const rest = arithmetic.sum(
                [
                  { sign: 1, of: one },
                  { sign: -1, of: outputs },
                ],
                true,
              );
              return arithmetic.apply('product', [right, outputs, rest], '');
            }),
          ),
        ]
      : scaledLosses([
          'the loss is summed over the outputs instead of averaged',
          loss,
          'both',
          () => head.classes,
        ])),
    ...(head.loss === 'meanSquaredError'
      ? scaledLosses(
          [
            'the gradient of the squared error is y - t: its factor 2 is forgotten',
            dLogits,
            'dLogits',
            () => 1 / 2,
          ],
          ['the loss is half of the squared error, 1/2 (y - t)²', loss, 'both', () => 1 / 2],
        )
      : []),
    ...(head.on === 'steps' ? maskedLossFaults(fault) : []),
    ...(own.length === 0
      ? []
      : [
          fault(
            'the kernel of the dense layer is transposed',
            { quantity: 'logits', page: 'transpose' },
            (_, problem) => {
              const [rows, columns] = problem.weights['head']['kernel'].shape;
              if (rows !== columns) return undefined;
              return {
                problem: withWeights(problem, 'head', ['kernel'], ({ data, shape }) => ({
                  shape,
                  data: data.map((__, i) => data[(i % rows) * rows + Math.floor(i / rows)]),
                })),
              };
            },
          ),
          fault('the bias of the dense layer is forgotten', { quantity: 'logits' }, (_, problem) => ({
            problem: withWeights(problem, 'head', ['bias'], ({ shape }) => zeros(...shape)),
          })),
        ]),
    ...own.map((weight) =>
      fault(
        `the gradient of the dense layer's ${weight} is zero`,
        { phase: 'backward', quantity: `gradients.head.${weight}` },
        scaled([`gradients.head.${weight}`], () => 0),
      ),
    ),
    ...own.flatMap((weight) =>
      [...partsAlone, ...(head.on === 'steps' ? partsOfSteps : [])].map(([words, adds]) =>
        fault(
          `the gradient of the dense layer's ${weight} is that of the ${words} alone`,
          { phase: 'backward', quantity: `gradients.head.${weight}`, page: 'bias-axis' },
          (network, problem) => {
            const [batch, timeSteps] = problem.inputs.shape;
            if (batch === 1 || (timeSteps === 1 && words.includes('step'))) return undefined;
            return changedOuter([`gradients.head.${weight}`], network, problem, (b, back) =>
              adds(b, timeSteps - 1 - back, [batch, timeSteps]),
            );
          },
        ),
      ),
    ),
  ];
}

type Adds = (b: number, t: number, sizes: readonly [batch: number, timeSteps: number]) => boolean;

const partsAlone: readonly (readonly [words: string, adds: Adds])[] = examples.map(([which, pick]) => [
  `${which} example`,
  (b, _, [batch]) => b === pick(batch),
]);
const partsOfSteps: typeof partsAlone = [
  ['first time step', (_, t) => t === 0],
  ['last time step', (_, t, [, timeSteps]) => t === timeSteps - 1],
  ['first row, the first example at the first time step,', (b, t) => b === 0 && t === 0],
];

/** Another loss. */
export function lossWith(
  change: <V extends Block>(
    arithmetic: Arithmetic<V>,
    ...asked: Parameters<Arithmetic<V>['loss']>
  ) => ReturnType<Arithmetic<V>['loss']>,
): Change {
  return (_, { labels, targets }) =>
    (labels ?? targets) && {
      around: (arithmetic) => ({ ...arithmetic, loss: (...asked) => change(arithmetic, ...asked) }),
    };
}

/** Another gradient of the logits; rows that are masked have none. */
function lossGradient(
  change: <V extends Block>(
    arithmetic: Arithmetic<V>,
    made: ReturnType<Arithmetic<V>['loss']>,
    live: number,
  ) => V,
): Change {
  return lossWith((arithmetic, name, logits, target) => {
    const made = arithmetic.loss(name, logits, target);
    const { live } = target;
    const changed = change(arithmetic, made, liveRows(logits, target));
    return {
      ...made,
      dLogits: live === undefined ? changed : arithmetic.select(live, changed, made.dLogits),
    };
  });
}

function liveRows({ rows }: Block, { live }: { readonly live?: Uint8Array }): number {
  return live?.reduce((n, one) => n + one, 0) ?? rows;
}

/** The loss, its gradient or both times a number; `live` of the rows are not masked. */
export function lossTimes(of: ScaledLoss[2], factor: ScaledLoss[3]): Change {
  return (network, problem) =>
    lossWith((arithmetic, name, logits, target) => {
      const made = arithmetic.loss(name, logits, target);
      const by = factor(liveRows(logits, target), problem.inputs.shape[1], logits.rows);
      return {
        ...made,
        ...(of !== 'dLogits' && { loss: times(arithmetic, made.loss, by) }),
        ...(of !== 'loss' && { dLogits: times(arithmetic, made.dLogits, by) }),
      };
    })(network, problem);
}

/** Masked steps in the loss of every step. */
function maskedLossFaults(
  fault: (name: string, about: Pick<About, 'quantity' | 'phase'>, change: Change) => EquationFault,
): EquationFault[] {
  const loss = { phase: 'loss', quantity: 'loss' } as const;
  const ofAllSteps = lossTimes('both', (live, _, rows) => live / rows);
  return [
    fault('the loss is summed over the time steps instead of averaged', loss, (network, problem) =>
      lossTimes('both', (live) => live / problem.inputs.shape[0])(network, problem),
    ),
    ...(
      [
        ['masked steps count in the loss', loss, []],
        ['masked steps count in the loss, but not in its gradient', loss, ['dLogits']],
        [
          'masked steps count in the gradient of the loss, but not in the loss',
          { phase: 'backward', quantity: 'dLogits' },
          ['loss'],
        ],
      ] as const
    ).map(([words, about, right]) =>
      fault(
        words,
        about,
        (network, problem) =>
          problem.mask &&
          lossWith((arithmetic, name, logits, target) => {
            const { live, ...all } = target;
            const [wrong, own] = [all, target].map((asked) => arithmetic.loss(name, logits, asked));
            return { ...wrong, ...Object.fromEntries(right.map((part) => [part, own[part]])) };
          })(network, problem),
      ),
    ),
    fault(
      'the loss is divided by the number of all steps, masked ones among them',
      loss,
      (network, problem) => problem.mask && ofAllSteps(network, problem),
    ),
  ];
}
