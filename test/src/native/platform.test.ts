import os from 'node:os';
import { expect } from 'chai';
import { checkFreeSpace, checkPlatform, thisPlatform, type Platform } from '../../../src/native/platform';
import { SetUpError } from '../../../src/native/set-up-error';

describe('the platform check of set-up', () => {
  const good: Platform = {
    os: 'linux',
    architecture: 'x64',
    glibc: '2.27',
    cpu: 'some CPU',
    cpuFeatures: ['sse4_2', 'avx'],
  };

  for (const accepted of [
    good,
    { ...good, glibc: '2.41' },
    { ...good, glibc: '3.0' },
    { ...good, cpuFeatures: undefined },
  ])
    it(`accepts glibc ${accepted.glibc}, features ${String(accepted.cpuFeatures)}`, () => {
      checkPlatform(accepted);
    });

  const refused: readonly [change: Partial<Platform>, message: RegExp][] = [
    [{ os: 'darwin' }, /built for linux x64, this is darwin x64/],
    [{ architecture: 'arm64' }, /built for linux x64, this is linux arm64/],
    [{ glibc: undefined }, /not glibc/],
    [{ glibc: '2.26' }, /glibc 2\.27 or newer, this system has 2\.26/],
    [{ cpuFeatures: ['sse4_2'] }, /CPU with AVX, this one \(some CPU\) has none/],
  ];
  for (const [change, message] of refused)
    it(`refuses ${JSON.stringify(change, (_, value: unknown) => value ?? null)} and names the way out`, () => {
      expect(() => checkPlatform({ ...good, ...change }))
        .to.throw(SetUpError, message)
        .with.property('fix', 'use the wasm backend on this machine');
    });

  it('knows this machine', () => {
    const platform = thisPlatform();
    expect(platform.os).to.equal(process.platform);
    if (process.platform === 'linux') expect(platform.cpuFeatures).to.be.an('array');
  });

  it('asks for free disk space with both numbers', () => {
    checkFreeSpace(os.tmpdir(), 1);
    expect(() => checkFreeSpace(os.tmpdir(), 1e18)).to.throw(
      SetUpError,
      / has \d+ MB free, the build needs 1000000000000 MB; free some space, or set XDG_CACHE_HOME/,
    );
  });
});
