import { expect } from 'chai';
import {
  defineCell,
  EquationError,
  gru,
  lstm,
  type Cell,
  type CellText,
} from '../../../harness/equations/index';
import { inWords } from '../../../harness/equations/words';
import { minimalGatedUnit, oddCell } from './cells';

const weights = { kernel: 'F, i f g o', recurrentKernel: 'U, i f g o', bias: 'i f g o', v: 'U' };
const good = `
  z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias
  c_t = σ(z_t[f]) ∘ c_(t-1) + σ(z_t[i]) ∘ tanh(z_t[g])
  h_t = σ(z_t[o]) ∘ tanh(c_t) ∘ v
`;
const read = (equations: string): Cell =>
  defineCell({ name: 'LSTM', carries: ['h', 'c'], weights, equations });
const formulas = ({ equations }: Cell): string[] =>
  equations.map(
    ({ left, part, right }) => `${left}_t${part ? `[${part.join(' ')}]` : ''} = ${inWords(right)}`,
  );

describe('formulas of a cell', () => {
  it('are taken in the spelling of papers and of the keyboard, and printed alike', () => {
    const keyboard = good
      .replaceAll('·', '@')
      .replaceAll('∘', '*')
      .replaceAll('σ', 'sigmoid')
      .replaceAll('(t-1)', '{t-1}');
    expect(formulas(read(keyboard))).to.deep.equal(formulas(read(good)));
    expect(formulas(read(good))).to.deep.equal(
      good
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    );
  });

  it('what is printed is read again as the same cell', () => {
    for (const cell of [lstm(), gru(), minimalGatedUnit, oddCell]) {
      const shapes = Object.fromEntries(
        Object.entries(cell.weights).map(([name, { rows, columns }]) => [
          name,
          [rows, columns].flatMap((axis) => (axis === undefined ? [] : [axis.join(' ')])).join(', '),
        ]),
      );
      const again = defineCell({
        name: cell.name,
        carries: cell.carries,
        weights: shapes,
        equations: formulas(cell).join('\n'),
      });
      expect(again.equations).to.deep.equal(cell.equations);
      expect(again.backward).to.deep.equal(cell.backward);
    }
  });

  it('a line goes on inside parentheses and before an operator; what follows # is a remark', () => {
    const broken = good
      .replace(' + h_(t-1)', '\n   + h_(t-1)')
      .replace('tanh(c_t)', 'tanh( # squashed\n c_t)');
    expect(formulas(read(broken))).to.deep.equal(formulas(read(good)));
  });

  it('a gate that blends two things is one operation, in any of its forms', () => {
    const blends = [
      'u_t ∘ h_(t-1) + (1 - u_t) ∘ n_t',
      '(1 - u_t) ∘ n_t + h_(t-1) ∘ u_t',
      'n_t + u_t ∘ (h_(t-1) - n_t)',
      '(h_(t-1) - n_t) ∘ u_t + n_t',
    ].map((formula) =>
      defineCell({
        name: 'gated',
        carries: ['h'],
        weights: { W: 'F, u n', R: 'U, U' },
        equations: `
          a_t = x_t · W
          u_t = σ(a_t[u])
          n_t = tanh(a_t[n] + h_(t-1) · R)
          h_t = ${formula}
        `,
      }).equations.at(-1),
    );
    expect(blends[0]?.right.op).to.equal('blend');
    for (const blend of blends) expect(blend).to.deep.equal(blends[0]);
  });

  it('a sum with matrices inside a function is given a name, so that its gradient can be seen', () => {
    expect(formulas(minimalGatedUnit)).to.deep.equal([
      'z_t = x_t · W_f + h_(t-1) · U_f + b_f',
      'f_t = σ(z_t)',
      'z1_t = x_t · W_h + (f_t ∘ h_(t-1)) · U_h + b_h',
      'n_t = tanh(z1_t)',
      'h_t = f_t ∘ n_t + (1 - f_t) ∘ h_(t-1)',
    ]);
  });

  const mistakes: readonly (readonly [
    what: string,
    change: (text: string) => string,
    place: string,
    message: RegExp,
  ])[] = [
    [
      'a misspelt weight',
      (t) => t.replace('recurrentKernel', 'recurentKernel'),
      '2:34',
      /no weight recurentKernel.*did you mean recurrentKernel\?/,
    ],
    [
      'an unknown function',
      (t) => t.replace('tanh(c_t)', 'tanhh(c_t)'),
      '4:21',
      /no function tanhh; known are tanh, σ.*did you mean tanh\?/,
    ],
    [
      'an open parenthesis',
      (t) => t.replace('tanh(c_t)', 'tanh(c_t'),
      '5:1',
      /"\)" is expected, to close the "\(" of column 25/,
    ],
    [
      'itself',
      (t) => t.replace('c_(t-1)', 'c_t'),
      '3:21',
      /c_t is not known yet.*the step before is written c_\(t-1\)/,
    ],
    [
      'what is not carried',
      (t) => t.replace('c_(t-1)', 'z_(t-1)'),
      '3:21',
      /z_\(t-1\) is not handed on.*only h, c; add "z" to `carries`/,
    ],
    [
      't - 1 without parentheses',
      (t) => t.replace('h_(t-1)', 'h_t-1'),
      '2:24',
      /the step before is written h_\(t-1\)/,
    ],
    [
      't - 1 in brackets',
      (t) => t.replace('h_(t-1)', 'h[t-1]'),
      '2:24',
      /h is a quantity: write h_t or h_\(t-1\)/,
    ],
    [
      'a matrix element by element',
      (t) => t.replace('x_t ·', 'x_t ∘'),
      '2:15',
      /kernel is a matrix, which multiplies from the right/,
    ],
    [
      'a matrix on the left',
      (t) => t.replace('x_t · kernel', 'kernel · x_t'),
      '2:9',
      /write \.\.\. · kernel/,
    ],
    ['x without its step', (t) => t.replace('x_t', 'x'), '2:9', /x is a quantity: write x_t/],
    [
      'an unknown block',
      (t) => t.replace('z_t[f]', 'z_t[q]'),
      '3:14',
      /z has no block q; its blocks are i f g o/,
    ],
    [
      'unequal columns in a product',
      (t) => t.replace('z_t[f]', 'z_t'),
      '3:18',
      /this factor has U columns, the one before has 4 x U columns \(i f g o\)/,
    ],
    [
      'unequal columns in a sum',
      (t) => t.replace('+ bias', '+ v'),
      '2:52',
      /this term has U columns, the first one has 4 x U/,
    ],
    [
      'rows that do not fit',
      (t) => t.replace('x_t · kernel', 'h_(t-1) · kernel'),
      '2:9',
      /kernel has F rows, what is multiplied by it has U columns/,
    ],
    [
      'no matrix after ·',
      (t) => t.replace('∘ tanh(c_t)', '· tanh(c_t)'),
      '4:21',
      /multiplies by a matrix of weights, but "tanh" is not one/,
    ],
    ['mixed products', (t) => t.replace('∘ v', '· kernel'), '4:31', /put parentheses/],
    ['a block that is never used', (t) => t.replace('z_t[o]', 'z_t[i]'), '2:3', /z_t\[o\] is never used/],
    ['a weight that is never used', (t) => t.replace(' ∘ v', ''), '4:30', /v is never used/],
    ['no = sign', (t) => t.replace('h_t =', 'h_t'), '4:7', /"=" is expected after h_t; here stands "σ"/],
    [
      'a left side without a step',
      (t) => t.replace('h_t =', 'h ='),
      '4:3',
      /an equation begins with a quantity of this step/,
    ],
    [
      'a step that is not handed on',
      (t) => t.replace('h_(t-1)', 'h_(t-2)'),
      '2:24',
      /a step knows h_t and h_\(t-1\) alone, no other time step/,
    ],
    ['two definitions', (t) => t.replace('h_t =', 'c_t ='), '4:3', /c_t is defined twice/],
    ['division', (t) => t.replace('∘ v', '/ v'), '4:31', /"\/" is no part of a formula/],
    ['no operator', (t) => t.replace('∘ v', 'v'), '4:31', /an operator or the end of the line is expected/],
    [
      'a carry without an equation',
      (t) => t.replace(/\n +h_t.*/, ''),
      '3:55',
      /no equation for h_t, which `carries` names/,
    ],
    ['the input as a result', (t) => t.replace('h_t =', 'x_t ='), '4:3', /x_t is the input of the step/],
  ];
  for (const [what, change, place, message] of mistakes)
    it(`refuses ${what}, and says where and how to write it`, () => {
      const text = change(good);
      expect(text).to.not.equal(good);
      try {
        read(text);
      } catch (error) {
        if (!(error instanceof EquationError)) throw error;
        expect(error.message)
          .to.match(message)
          .and.match(/^LSTM, line \d+, column \d+: /);
        expect(`${error.line}:${error.column}`).to.equal(place);
        // the caret stands under the column
        const [, line, caret] = error.message.split('\n');
        const indent = text.split('\n')[error.line - 1].search(/\S|$/);
        expect(caret.length - 4).to.equal(Math.max(0, error.column - 1 - indent) + 1);
        expect(line.trim()).to.equal(text.split('\n')[error.line - 1].trim());
        return;
      }
      expect.fail('it was taken');
    });

  it('refuses a part that does not exist, no name, and a module without a cell', () => {
    const cell = { name: 'LSTM', carries: ['h', 'c'], weights, equations: good };
    expect(() => defineCell({ ...cell, weigths: {} } as CellText)).to.throw(
      RangeError,
      /no part weigths; the nearest is weights/,
    );
    expect(() => defineCell({ ...cell, name: ' ' })).to.throw(TypeError, /lacks name/);
  });

  it('refuses overlapping parts, axes and carries that cannot be read', () => {
    const cell = (change: Partial<Parameters<typeof defineCell>[0]>) => () =>
      defineCell({ name: 'LSTM', carries: ['h', 'c'], weights, equations: good, ...change });
    expect(cell({ equations: good.replace('∘ v', '∘ v ∘ σ(z_t[o g] · bias2)') })).to.throw(/no weight bias2/);
    expect(cell({ equations: `${good} d_t = relu(z_t[f g]) + z_t[f g]\n` })).to.throw(
      /z_t is used as \[f\] and as \[f g\], which overlap/,
    );
    expect(cell({ weights: { ...weights, v: 'U, U, U' } })).to.throw(
      RangeError,
      /axes of v are "U, U, U"; expected are rows and columns/,
    );
    expect(cell({ carries: [] })).to.throw(RangeError, /carries is empty/);
    expect(cell({ weights: { ...weights, v_t: 'U' } })).to.throw(
      RangeError,
      /"v_t" cannot be a weight's name/,
    );
    expect(
      cell({
        equations: good.replaceAll('c_t', 'dz_t').replaceAll('c_(t-1)', 'dz_(t-1)'),
        carries: ['h', 'dz'],
      }),
    ).to.throw(EquationError, /dz_t is what the gradient of z_t is called/);
  });
});
