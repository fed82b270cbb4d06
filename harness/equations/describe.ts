import { activationOf } from './activations/index';
import type { Cell, CellText } from './cell';
import { within, type Equation } from './expression';
import { inputGradients } from './observables';
import { partText } from './parse';
import { shapeText } from './weights';
import { inWords, shareInWords, termsInWords } from './words';

/**
 * A cell as a reader wants to see it: shapes, the forward equations, the backward ones that were derived from them, what they hand
 * back, and what can be seen of an implementation from outside. Plain text, one equation a line.
 */
export function describeCell(cell: Cell): string {
  const { name, carries, weights, equations, backward } = cell;
  const [output] = carries;
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Shapes: B examples, T time steps, F features, U units', shapes(cell)],
    ['Forward, at every time step t', equations.map(equationText)],
    [
      'Backward, from the last time step to the first: dv_t is the gradient of the loss with respect to v_t',
      [
        ...backward.equations.map(equationText),
        '',
        ...carries.map(
          (carry) =>
            `in_${carry}_t   what arrives at ${carry}_t: ${carry === output ? 'from above, and ' : ''}from step t+1`,
        ),
        ...slopeLines(cell),
      ],
    ],
    [
      'Handed back',
      [
        ...carries.map((carry) => `to ${carry}_(t-1): ${termsInWords(backward.toBefore[carry])}`),
        `to x_t: ${termsInWords(backward.toInput)}`,
      ],
    ],
    ['Gradients of the weights', backward.shares.map(shareInWords)],
    ['What an opaque implementation shows', observableLines(cell)],
  ];
  const weightCount = Object.keys(weights).length;
  const head = `${name}: ${equations.length} equations, ${weightCount} weights; hands on ${carries.join(' and ')}`;
  return [
    head,
    ...sections.map(([title, lines]) =>
      [title, ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join('\n'),
    ),
  ].join('\n\n');
}

/** The cell as text that `defineCell` reads again. */
export function textOfCell({ name, carries, weights, equations }: Cell): CellText {
  const axes = Object.entries(weights).map(([weight, { rows, columns }]) => [
    weight,
    [rows, columns].flatMap((axis) => (axis === undefined ? [] : [axis.join(' ')])).join(', '),
  ]);
  return {
    name,
    carries,
    weights: Object.fromEntries(axes) as CellText['weights'],
    equations: equations.map(equationText).join('\n'),
  };
}

function equationText({ left, part, right }: Equation): string {
  return `${left}_t${partText(part)} = ${inWords(right)}`;
}

function shapes({ weights, axes, carries }: Cell): string[] {
  const [output] = carries;
  const rows: (readonly [name: string, shape: string])[] = [
    ['x_t', '[B, F]'],
    ...Object.entries(weights).map(([name, shape]) => [name, shapeText(shape)] as const),
    ...[...axes].map(([name, axis]) => {
      const note = name === output ? ', the output' : '';
      return [
        `${name}_t`,
        `${shapeText({ rows: ['B'], columns: axis }).replace('[U', '[B')}${note}`,
      ] as const;
    }),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, shape]) => `${name.padEnd(width)}  ${shape}`);
}

/** f′ of every function whose slope the backward equations use. */
function slopeLines({ backward }: Cell): string[] {
  const used = new Set(
    backward.equations.flatMap(({ right }) =>
      [...within(right)].flatMap((one) => (one.op === 'slope' && one.f !== undefined ? [one.f] : [])),
    ),
  );
  return [...used].map((f) => {
    const { from, words } = activationOf(f).slope;
    return from === 'output' ? `${f}′[y] = ${words}, where y = ${f}(z)` : `${f}′[z] = ${words}`;
  });
}

function observableLines(cell: Cell): string[] {
  const [output, ...others] = cell.carries;
  const gradients = inputGradients(cell);
  const shown = gradients.map(({ gradient, part }) => `${gradient}_t${partText(part)}`);
  return [
    `${output}_t at every step: the sequence of outputs`,
    ...others.map(
      (carry) => `${carry}_T: the final state; ${carry}_t: the final state of the first t steps alone`,
    ),
    gradients.length > 0
      ? `${shown.join(', ')} at every step: dL/dx of additional inputs that are always zero, with rows of ${[...new Set(gradients.map(({ weight }) => weight))].join(', ')} that are the identity`
      : 'no inner gradient: x_t is used otherwise than in products with weights',
    'dL/dx_t at every step, the gradients of the weights and of the initial state',
  ];
}
