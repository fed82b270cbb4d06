import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { cacheDirectory, cacheEntries, cleanNative } from '../../../src/index';
import { makeUnfinished, remove, removeAbandoned } from '../../../src/native/cache';
import { withEnvironment } from '../../support/environment';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('the cache of set-up', () => {
  const directory = temporaryDirectory();

  it('lies in $XDG_CACHE_HOME, else in ~/.cache; a relative path is ignored', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/somewhere' })).to.equal('/somewhere/rnn-parity');
    const home = path.join(os.homedir(), '.cache', 'rnn-parity');
    expect(cacheDirectory({})).to.equal(home);
    expect(cacheDirectory({ XDG_CACHE_HOME: '' })).to.equal(home);
    expect(cacheDirectory({ XDG_CACHE_HOME: 'somewhere' })).to.equal(home);
  });

  it('removes what dead or very old runs began, and nothing else', () => {
    const mine = makeUnfinished(directory());
    const make = (name: string, ageMillis = 0): string => {
      const made = path.join(directory(), name);
      fs.mkdirSync(made);
      const time = new Date(Date.now() - ageMillis);
      fs.utimesSync(made, time, time);
      return made;
    };
    const twoDays = 2 * 86_400_000;
    const dead = make(`.tmp-${os.hostname()}-4194304-abcdef`);
    const old = make(`.tmp-${os.hostname()}-${process.pid}-old`, twoDays);
    const elsewhere = make('.tmp-another-host-4194304-abcdef');
    const elsewhereOld = make('.tmp-another-host-4194304-old', twoDays);
    const entry = make('tfjs-node-4.22.0', twoDays);
    removeAbandoned(directory());
    expect(
      [mine, dead, old, elsewhere, elsewhereOld, entry].map((name) => fs.existsSync(name)),
    ).to.deep.equal([true, false, false, true, false, true]);
  });

  it('is no trouble when it does not exist', () => {
    removeAbandoned(path.join(directory(), 'absent'));
    remove(path.join(directory(), 'absent', 'entry'));
    expect(cacheEntries(path.join(directory(), 'absent'))).to.deep.equal([]);
  });

  it('is measured and cleaned; everything next to it stays', async () => {
    const entry = path.join(directory(), 'rnn-parity', 'entry', 'deeper');
    fs.mkdirSync(entry, { recursive: true });
    fs.writeFileSync(path.join(entry, 'file'), Buffer.alloc(1234));
    fs.writeFileSync(path.join(directory(), 'other'), '');
    expect(cacheEntries(path.join(directory(), 'rnn-parity'))).to.deep.equal([
      { name: 'entry', bytes: 1234 },
    ]);
    const cleaned = await withEnvironment({ XDG_CACHE_HOME: directory() }, () => cleanNative());
    expect(cleaned).to.deep.equal({ directory: path.join(directory(), 'rnn-parity'), bytes: 1234 });
    expect(fs.readdirSync(directory())).to.deep.equal(['other']);
  });
});
