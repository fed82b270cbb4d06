import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { createJiti } from 'jiti';
import { defineCell, describeCell, EquationError, type CellText } from '../../../harness/equations/index';
import { assertParity, type LayersCandidate } from '../../../harness/index';

/** docs/equations.md: its cell, what is printed of it, its error and its candidate are what a reader gets. */
describe('docs/equations.md', () => {
  const page = readFileSync('docs/equations.md', 'utf8');
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  /** the block without a language that begins with these words */
  const textOf = (start: string): string => {
    const at = page.indexOf(`\n\`\`\`\n${start}`) + 5;
    return page.slice(at, page.indexOf('```', at)).trimEnd();
  };
  const jiti = createJiti(__filename, {
    alias: { 'rnn-parity/harness': resolve('dist-test/harness/index.js') },
  });
  let folder: string;
  let cell: CellText;

  const load = async <T>(name: string, code: string): Promise<T> => {
    const file = join(folder, name);
    writeFileSync(file, code);
    return jiti.import<T>(file);
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rnn-parity-equations-'));
    ({ cell } = await load<{ cell: CellText }>('peephole.ts', examples[0]));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('prints the backward equations that are derived', () => {
    const text = describeCell(defineCell(cell));
    expect(text).to.contain(textOf('Backward, from'));
  });

  it('shows the error that its mistake gives', () => {
    const shown = textOf('peephole LSTM, line');
    const equations = cell.equations.replace('∘ c_t)', '· c_t)');
    expect(() => defineCell({ ...cell, equations })).to.throw(EquationError, shown);
  });

  it('knows every spelling of its table', () => {
    const spelled = cell.equations
      .replace('x_t · kernel', 'x_t @ kernel')
      .replaceAll('c_(t-1)', 'c_{t-1}')
      .replaceAll('σ', 'sigmoid')
      .replace('∘', '*')
      .replace('∘', '⊙');
    expect(describeCell(defineCell({ ...cell, equations: spelled }))).to.equal(
      describeCell(defineCell(cell)),
    );
  });

  it('holds its candidate to the formulas, and finds and names the mistake that it shows', async () => {
    const judged = async (name: string, code: string): Promise<string> => {
      const { candidate } = await load<{ candidate: LayersCandidate }>(name, code);
      return assertParity(candidate, { equations: cell }).then(
        ({ verdict }) => verdict,
        (error: unknown) => (error as Error).message,
      );
    };
    const [, right] = examples;
    expect(await judged('right.ts', right)).to.equal('parity');
    // a customary form of σ, whose error is absolute
    const byTanh = right.replace('1 / (1 + Math.exp(-z))', '0.5 + 0.5 * Math.tanh(0.5 * z)');
    expect(byTanh).not.to.equal(right);
    expect(await judged('by-tanh.ts', byTanh)).to.equal('parity');
    const [place, wrong] = ['peephole[units + u] * before.c[u]', 'peephole[u] * before.c[u]'];
    expect(right).to.contain(place);
    expect(page).to.contain('`peephole[u]` instead of `peephole[units + u]`');
    const message = await judged('wrong.ts', right.replace(place, wrong));
    expect(message).to.match(/^MISMATCH: my peephole LSTM/);
    for (const line of textOf('begins in').split('\n'))
      expect(message.replace(/layers\/\d+/g, 'layers/000')).to.contain(line);
  });
});
