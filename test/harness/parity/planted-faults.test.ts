import { expect } from 'chai';
import { scratchImplementation, tfjsImplementation } from '../../../harness/implementations/index';
import { runParity, suiteProblems } from '../../../harness/parity/index';
import type { Evaluation, Implementation, Problem } from '../../../harness/problem';
import { HandNetwork, plant, specimens } from '../../../harness/specimens/index';
import { loadBackend } from '../../../src/index';
import { testedBackends } from '../../support/backends';

/** Answers each problem once: the honest answer is the same under every fault. */
function remembering(host: Implementation): Implementation {
  const known = new Map<string, Promise<Evaluation>>();
  return {
    ...host,
    evaluate: (problem: Problem) => {
      const answer = known.get(problem.id) ?? Promise.resolve(host.evaluate(problem));
      known.set(problem.id, answer);
      return answer;
    },
  };
}

const options = { only: 'generated/00?', cases: 10 } as const;

async function exitCodeOf(implementation: Implementation): Promise<number> {
  const side = { implementation };
  const sides = [{ name: implementation.name, required: true, open: () => Promise.resolve(side) }];
  return (await runParity({ ...options, sides })).exitCode;
}

function describeFaultsOn(name: string, open: () => Promise<Implementation>): void {
  describe(`planted faults, ${name}`, () => {
    let host: Implementation;
    before(async () => {
      host = remembering(await open());
    });
    it('without a fault: parity', async () => {
      expect(await exitCodeOf(host)).to.equal(0);
    });
    for (const specimen of specimens) {
      it(`${specimen.name} is rejected`, async () => {
        expect(await exitCodeOf(plant(specimen, host)), specimen.fault).to.equal(1);
      });
    }
  });
}

describeFaultsOn('scratch', () => Promise.resolve({ ...scratchImplementation(), name: 'float64 side' }));
for (const backend of testedBackends) {
  describeFaultsOn(`tfjs:${backend}`, async () => tfjsImplementation(await loadBackend(backend)));
}

describe('specimens', () => {
  it('are many, and no two share a name', () => {
    expect(specimens.length).to.be.at.least(20);
    expect(new Set(specimens.map(({ name }) => name)).size).to.equal(specimens.length);
  });
  it("hold the notebook's two mistakes", () => {
    const faults = specimens.map(({ fault }) => fault).filter((fault) => fault.includes("notebook's"));
    expect(faults.length).to.equal(2);
  });
  it('come from a network that is right where nothing is planted', async () => {
    const side = {
      name: 'by hand',
      precision: 'float64',
      evaluate: (p: Problem) => new HandNetwork(p).evaluate(),
    };
    const sides = [
      {
        name: 'by hand',
        required: true,
        open: () => Promise.resolve({ implementation: side as Implementation }),
      },
    ];
    const report = await runParity({ sides, cases: 60 });
    expect(report.cases.filter(({ status }) => status === 'fail')).to.deep.equal([]);
    expect(report.exitCode).to.equal(0);
  });
  it('every problem that can show a fault shows it, but for a few', async () => {
    const problems = await suiteProblems(3, 20, (id) => id.startsWith('generated'));
    for (const specimen of specimens) {
      const can = problems.filter((problem) => specimen.shows?.(problem) ?? true);
      const changed = can.filter((problem) => {
        const right = new HandNetwork(problem).evaluate();
        const wrong = new specimen.network(problem).evaluate();
        return JSON.stringify(right) !== JSON.stringify(wrong);
      });
      expect(changed.length, specimen.name)
        .to.be.greaterThan(0.8 * can.length)
        .and.greaterThan(4);
    }
  });
});
