import { expect } from 'chai';
import { UsageError } from '../../../harness/base/outcome';
import { generatedProblem } from '../../../harness/problems/generated';
import { makeProblem } from '../../../harness/problems/index';
import { runParity, type ParityOptions } from '../../../harness/parity/index';
import { selectCases } from '../../../harness/parity/cases';
import { startSidesApart, type SidesApart } from '../../../harness/parity/second-process';
import type { StartProgress } from '../../../harness/base/progress';
import { mapProblem } from '../../../harness/base/problem';

describe('sides in a process of their own', () => {
  const options: ParityOptions = { backends: ['wasm', 'cpu'], only: 'generated/?15' };
  const names = ['wasm', 'cpu'].map((name) => ({ name: name as 'wasm' | 'cpu', required: true }));

  async function apart(
    sides: typeof names,
    of: ParityOptions,
    use: (apart: SidesApart) => Promise<void>,
  ): Promise<string[]> {
    const titles: string[] = [];
    const cases = await selectCases(of, 1);
    const order = { sides, cases, tolerance: undefined };
    const started = startSidesApart(order, (title, total) => {
      titles.push(`${title}: ${total}`);
      return { step: () => undefined, stop: () => undefined };
    });
    try {
      await use(started);
    } finally {
      started.dispose();
    }
    return titles;
  }

  it('find number for number what they find in this one', async () => {
    const here = await runParity(options);
    const titles = await apart(names, options, async ({ found }) => {
      const there = await found;
      expect(there.flatMap(({ sides }) => sides)).to.deep.equal(here.sides);
      expect(there.flatMap(({ plan }) => plan)).to.deep.equal(here.plan);
      expect(there.flatMap(({ cases }) => cases)).to.deep.equal(here.cases);
      // two sides, two problems in three views; the first is asked again
      expect(here.cases.length).to.equal(2 * (2 * 3 + 1));
    });
    expect(titles).to.deep.equal(['tfjs:wasm: 2', 'tfjs:cpu: 2']);
  });

  it('a run in two processes gives the report of a run in one', async () => {
    // as many as make a second process worth it, and as small as problems are
    const sizes = { batch: 1, timeSteps: 1, features: 1, units: 2, classes: 2, scale: 1 };
    const parts = { labels: true, upstreamStates: false, upstreamFinalState: false };
    const problems = Array.from({ length: 40 }, (_, i) =>
      makeProblem({ id: `p/${i}`, seed: i, initialState: false, mask: false, ...sizes, ...parts }),
    );
    const both = { backends: ['wasm', 'tensorflow', 'cpu'], problems, power: false } as const;
    const started: string[] = [];
    const progress: StartProgress = (title) => {
      started.push(title);
      return { step: () => undefined, stop: () => undefined };
    };
    const one = await runParity(both);
    expect(await runParity({ ...both, processes: 2, progress })).to.deep.equal(one);
    // side by side, not one after the other
    expect(started.indexOf('tfjs:wasm')).to.be.at.least(0);
    expect(started.filter((title) => title !== 'tfjs:tensorflow')).to.deep.equal(['tfjs:wasm', 'tfjs:cpu']);
    expect(one.sides.map(({ name }) => name)).to.deep.equal(['tfjs:wasm', 'tfjs:tensorflow', 'tfjs:cpu']);
  });

  it('a usage error stays one, and a process that ends too soon is an error, never a shorter run', async () => {
    const huge = mapProblem(generatedProblem(1, 0), (x) => x * 1e300);
    await apart(names, { problems: [huge] }, async ({ found }) => {
      const error = await found.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(UsageError).with.property('message').that.includes('beyond 3.4e38');
    });
    await apart(names, options, async (started) => {
      started.dispose();
      const error = await started.found.catch((reason: unknown) => String(reason));
      expect(error).to.include('the process of wasm, cpu ended by SIGKILL before it was done');
    });
  });
});
