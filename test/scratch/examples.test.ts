import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import * as scratch from '../../scratch/index';

// Runs every @example of the room's docstrings: `expression; // => value`.
const room = join(__dirname, '..', '..', 'scratch');

describe('docstring examples of scratch/', () => {
  let examples = 0;
  for (const file of readdirSync(room, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(join(room, file), 'utf8');
    for (const [, block] of source.matchAll(/@example\n \* ```ts\n([^]*?) \* ```/g)) {
      examples++;
      const code = block.replace(/^ \* /gm, '');
      it(`${file}: ${code.split('\n')[0]}`, () => {
        const results: [unknown, string][] = [];
        const claims = code.replace(/^(.*); \/\/ => (.*)$/gm, (_, expression: string, value: string) => {
          return `claim((${expression}), ${JSON.stringify(value)});`;
        });
        runInNewContext(claims, {
          ...scratch,
          Array,
          Math,
          Float64Array,
          claim: (found: unknown, value: string) => results.push([found, value]),
        });
        expect(results.length).to.be.above(0);
        for (const [found, value] of results) {
          const expected: unknown = runInNewContext(`(${value})`, { Array });
          expect(JSON.stringify(found)).to.equal(JSON.stringify(expected));
        }
      });
    }
  }

  it('are there', () => expect(examples).to.be.at.least(6));
});
