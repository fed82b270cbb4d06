import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(__dirname, '..', '..');

/**
 * Tests that a page prints its numbers as they are computed. UPDATE_DOCS=1 writes the blocks anew; without it they must
 * be equal.
 *
 * @param page below docs/
 * @param blocks the lines between `<!-- NAME: computed -->` and `<!-- end of NAME -->`
 */
export function itPrints(page: string, blocks: Readonly<Record<string, () => string[]>>): void {
  const doc = join(root, 'docs', page);
  for (const [name, lines] of Object.entries(blocks)) {
    it(`prints the numbers of its table "${name}" as they are computed`, () => {
      const [begin, end] = [`<!-- ${name}: computed -->`, `<!-- end of ${name} -->`];
      const text = readFileSync(doc, 'utf8');
      const [from, to] = [text.indexOf(begin), text.indexOf(end)];
      expect(from, begin).to.be.at.least(0);
      expect(to, end).to.be.above(from);
      const computed = `${begin}\n\n${lines().join('\n')}\n\n`;
      if (process.env['UPDATE_DOCS'] === '1') {
        writeFileSync(doc, text.slice(0, from) + computed + text.slice(to));
      } else {
        expect(text.slice(from, to)).to.equal(computed);
      }
    });
  }
}

/** Tests that every line of code that a page quotes is in one of these files of scratch/. */
export function itQuotes(page: string, files: readonly string[]): void {
  it('quotes lines of code that are in the source', () => {
    const source = files
      .map((file) => readFileSync(join(root, 'scratch', `${file}.ts`), 'utf8'))
      .join('\n')
      .replace(/\s+/g, ' ');
    const text = readFileSync(join(root, 'docs', page), 'utf8');
    const quoted = [...text.matchAll(/```ts\n([^]*?)```/g)].flatMap(([, code]) =>
      code.split('\n').filter((line) => line.trim() !== ''),
    );
    expect(quoted.length).to.be.above(10);
    for (const line of quoted) expect(source).to.include(line.trim().replace(/\s+/g, ' '));
  });
}

type Numbers = ArrayLike<number>;

/** The largest error as a share of the largest element of what is right; `-` where there is none. */
export function largestError(wrong: Numbers, right: Numbers): string {
  const scale = Math.max(...Array.from(right, Math.abs));
  const worst = Math.max(...Array.from(wrong, (g, i) => Math.abs(g - right[i])));
  return worst < 1e-12 * scale ? '-' : (worst / scale).toPrecision(2);
}
