import { expect } from 'chai';
import { scratchImplementation, type SideSource } from '../../../harness/sides/index';
import { checkReport, formatReport, runParity, type ParityReport } from '../../../harness/parity/index';
import type { Implementation } from '../../../harness/base/problem';

/** As `JSON.parse` gives it: a test may change anything. */
interface Element {
  given: unknown;
  reference: unknown;
  error: unknown;
  allowed: number;
  usedShare: number;
}
interface Editable {
  digest?: string;
  verdict: string;
  exitCode: number;
  complete: boolean;
  only: string | null;
  sides: { name: string; status: string; omits?: string[] }[];
  plan: { implementation: string; caseId: string; tensors: Record<string, number> }[];
  cases: {
    implementation: string;
    caseId: string;
    status: string;
    ledger: Record<string, number>;
    tensors: {
      tensor: string;
      status: string;
      reason?: string;
      elements: number;
      compared: number;
      beyond: number;
      worst?: Element;
    }[];
  }[];
}

const source = (implementation: Implementation): SideSource => ({
  name: implementation.name,
  required: true,
  open: () => Promise.resolve({ implementation }),
});
const honest: Implementation = { ...scratchImplementation(), name: 'twin' };
const second: Implementation = { ...honest, name: 'second' };
const wrong: Implementation = {
  ...honest,
  name: 'wrong',
  omits: ['gradients.bias'],
  evaluate: async (problem) => {
    const { states, gradients, ...answer } = await honest.evaluate(problem);
    const { bias, ...others } = gradients ?? {};
    if (states === undefined || (gradients !== undefined && bias === undefined)) throw new Error('no answer');
    return {
      ...answer,
      ...(gradients && { gradients: others }),
      states: { ...states, data: states.data.map((x) => 1.01 * x) },
    };
  },
};
const options = { only: 'edge/one-*', cases: 0 } as const;

async function faultsOf(report: Editable, { digest = false } = {}): Promise<readonly string[]> {
  if (!digest) delete report.digest;
  return (await checkReport(JSON.stringify(report), 'r.json')).faults;
}

describe('--check-report', () => {
  let parity: ParityReport;
  let mismatch: ParityReport;
  before(async () => {
    parity = await runParity({ ...options, sides: [source(honest), source(second)] });
    mismatch = await runParity({ ...options, sides: [source(wrong)] });
  });
  const copy = (report: ParityReport): Editable => JSON.parse(formatReport(report)) as Editable;

  it('what a run wrote follows from its numbers: parity, a mismatch with NaN and omitted tensors, an error', async () => {
    const nan = source({
      ...honest,
      name: 'nan',
      evaluate: async (problem) => {
        const answer = await honest.evaluate(problem);
        return { ...answer, loss: { data: Float64Array.of(NaN), shape: [] } };
      },
    });
    const throws = source({ ...honest, name: 'throws', evaluate: () => Promise.reject(new Error('no ink')) });
    for (const report of [
      parity,
      mismatch,
      await runParity({ ...options, sides: [nan] }),
      await runParity({ ...options, sides: [throws] }),
    ])
      expect(await faultsOf(copy(report), { digest: true }), report.verdict).to.deep.equal([]);
    expect(parity.verdict).to.equal('parity');
    expect(mismatch.verdict).to.equal('mismatch');
  });

  const firstOf = (r: Editable) => {
    const tensor = r.cases.flatMap(({ tensors }) => tensors).find(({ status }) => status === 'differs');
    if (tensor?.worst === undefined) throw new Error('nothing differs');
    return { tensor, worst: tensor.worst };
  };
  const toParity = (r: Editable): void => {
    r.verdict = 'parity';
    r.exitCode = 0;
  };
  const allPass = (r: Editable): void => {
    for (const one of r.cases) {
      one.status = 'pass';
      for (const tensor of one.tensors)
        if (tensor.status === 'differs') Object.assign(tensor, { status: 'pass', beyond: 0 });
    }
  };
  const damages: [
    title: string,
    of: 'parity' | 'mismatch',
    damage: (r: Editable) => unknown,
    says: RegExp,
  ][] = [
    ['a tensor deleted', 'parity', (r) => r.cases[0].tensors.splice(2, 1), /does not hold it/],
    ['a case deleted', 'parity', (r) => r.cases.pop(), /no verdict/],
    [
      'a case and its plan for one side only renamed',
      'parity',
      (r) => (r.cases[0].caseId = 'x'),
      /no verdict/,
    ],
    ['all cases deleted', 'parity', (r) => (r.cases = []), /no verdict/],
    ['a case twice', 'parity', (r) => r.cases.push(r.cases[0]), /judged twice/],
    ['a plan twice', 'parity', (r) => r.plan.push(r.plan[0]), /planned twice/],
    ['a plan deleted', 'parity', (r) => r.plan.pop(), /judged, but not planned/],
    [
      'a planned tensor deleted',
      'parity',
      (r) => delete r.plan[0].tensors['states'],
      /states was not planned/,
    ],
    ['a tensor twice', 'parity', (r) => r.cases[0].tensors.push(r.cases[0].tensors[0]), /is judged twice/],
    ['a side dropped', 'parity', (r) => r.sides.pop(), /second has cases, but is not among the sides/],
    [
      'a side that did not run after all',
      'parity',
      (r) => (r.sides[1].status = 'not run'),
      /second has cases/,
    ],
    ['a tensor shortened', 'parity', (r) => (r.cases[0].tensors[0].elements = 1), /accounts for 1/],
    ['elements not compared', 'parity', (r) => (r.cases[0].tensors[0].compared = 1), /1 were compared/],
    [
      'a ledger edited',
      'parity',
      (r) => (r.cases[0].ledger['compared'] = 1),
      /ledger is .* follows from the numbers/,
    ],
    [
      'a failing tensor',
      'parity',
      (r) => (r.cases[0].tensors[0].status = 'differs'),
      /status is "pass", but "fail"/,
    ],
    ['a failing case', 'parity', (r) => (r.cases[0].status = 'fail'), /status is "fail", but "pass"/],
    ['the worst number gone', 'parity', (r) => delete r.cases[0].tensors[0].worst, /no number that shows it/],
    [
      'NaN for a number',
      'parity',
      (r) => Object.assign(r.cases[0].tensors[0].worst ?? {}, { given: 'NaN' }),
      /have the status nan/,
    ],
    ['another verdict', 'mismatch', (r) => (r.verdict = 'parity'), /verdict is "parity", but "mismatch"/],
    ['another exit code', 'mismatch', (r) => (r.exitCode = 0), /exitCode is 0, but 1/],
    ['verdict and exit code', 'mismatch', toParity, /verdict is "parity", but "mismatch"/],
    [
      'every status changed to pass',
      'mismatch',
      (r) => {
        allPass(r);
        toParity(r);
      },
      /has the status pass, but its numbers have the status differs/,
    ],
    [
      'a larger budget',
      'mismatch',
      (r) => (firstOf(r).worst.allowed = 1e9),
      /with 1000000000 allowed is an error of/,
    ],
    ['a smaller error', 'mismatch', (r) => (firstOf(r).worst.error = 0), /is an error of .*, not 0 and/],
    ['fewer elements beyond', 'mismatch', (r) => (firstOf(r).tensor.beyond = 0), /0 elements are beyond/],
    [
      'a failing tensor declared omitted',
      'mismatch',
      (r) => {
        const { tensor } = firstOf(r);
        delete tensor.worst;
        Object.assign(tensor, { status: 'omitted', compared: 0, beyond: 0 });
      },
      /is omitted, although wrong did not declare it/,
    ],
    [
      'omissions no longer declared',
      'mismatch',
      (r) => delete r.sides[0].omits,
      /gradients.bias is omitted, although/,
    ],
    ['a part called the whole suite', 'parity', (r) => (r.complete = true), /only a part of the suite/],
  ];
  for (const [title, of, damage, says] of damages) {
    it(`finds ${title}`, async () => {
      const report = copy(of === 'parity' ? parity : mismatch);
      damage(report);
      expect((await faultsOf(report)).join('\n')).to.match(says);
    });
  }

  it('finds a consistent forgery, a side dropped with all its cases or a budget with its share, by the digest', async () => {
    const dropped = copy(parity);
    dropped.sides.pop();
    const rest = (one: { implementation: string }): boolean => one.implementation !== 'second';
    Object.assign(dropped, { cases: dropped.cases.filter(rest), plan: dropped.plan.filter(rest) });
    expect(await faultsOf(structuredClone(dropped))).to.deep.equal([]);
    expect((await faultsOf(dropped, { digest: true })).join()).to.include('digest');
  });

  const refused: [title: string, text: () => string, says: RegExp][] = [
    ['no JSON', () => '{', /r\.json is not JSON/],
    [
      'another format',
      () => '{"format": "x"}',
      /has the format "x", but "rnn-parity-report\/1" was expected/,
    ],
    ['null', () => 'null', /has the format null/],
    [
      'a report that lacks a part',
      () => JSON.stringify({ ...copy(parity), cases: undefined }),
      /required property 'cases'/,
    ],
    [
      'a count as text',
      () => {
        const report = copy(parity);
        Object.assign(report.cases[0].tensors[0], { compared: '4' });
        return JSON.stringify(report);
      },
      /\/cases\/0\/tensors\/0\/compared must be integer/,
    ],
  ];
  for (const [title, text, says] of refused) {
    it(`refuses ${title}`, async () => {
      const message = await checkReport(text(), 'r.json').then(
        () => 'accepted',
        (error: unknown) => (error as Error).message,
      );
      expect(message).to.match(says);
    });
  }
});
