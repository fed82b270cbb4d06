import { expect } from 'chai';
import fc from 'fast-check';
import { formatSummary, formatVerdict } from '../../../harness/parity/index';
import { anyReport, diagnosisOf, redCase, reportOf } from './synthetic-report';

const lastLine = (text: string): string => text.split('\n').at(-1) ?? '';

describe('the text report', () => {
  it('has at most 40 lines and a verdict of at most 120 characters, whatever the run was', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const lines = formatSummary(report).split('\n');
        expect(lines.length).to.be.at.most(41);
        expect(lines.at(-1)).to.equal(formatVerdict(report));
        expect(lines.at(-1)?.length).to.be.at.most(120);
        for (const line of lines) expect(line).to.not.match(/[\r\n\t]/);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('hides no red case: each is told or counted', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const text = formatSummary(report);
        const red = report.cases.filter(({ status }) => status === 'fail');
        // ids begin with a number of their own
        const told = red.filter(({ implementation, caseId }) =>
          text.includes(`${implementation}, ${caseId}`.replace(/\s+/g, ' ').trim()),
        );
        const [, counted = '0'] = /and [\d,]+ more tensors? of (\d+) cases?:/.exec(text) ?? [];
        expect(told.length + Number(counted)).to.be.at.least(red.length);
        if (red.length > 0) expect(text).to.include(`red in ${red.length} of`);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('names side, case, phase, tensor, time step and kind in the verdict', () => {
    const report = reportOf({
      cases: [redCase('tfjs:wasm', 'edge/one', 'gradients.kernel')],
      diagnoses: [diagnosisOf('tfjs:wasm', 'edge/one')],
    });
    expect(formatVerdict(report)).to.equal(
      'MISMATCH: tfjs:wasm is wrong in edge/one, backward, dPreActivations at time step 3: carry/dropped; 1 of 1 comparison red',
    );
  });

  it('keeps side, phase, tensor and step where names are long', () => {
    const name = `candidate-${'x'.repeat(80)}`;
    const report = reportOf({
      cases: [redCase(name, `case/${'y'.repeat(80)}`, 'gradients.kernel')],
      diagnoses: [diagnosisOf(name, `case/${'y'.repeat(80)}`)],
    });
    const verdict = formatVerdict(report);
    expect(verdict.length).to.be.at.most(120);
    expect(verdict).to.match(/candidate-x.*case\/y.*backward, dPreActivations at time step 3/);
  });

  const guilty: [side: string, says: string][] = [
    ['tfjs:wasm', 'tfjs:wasm is wrong in a'],
    ['scratch', 'scratch is wrong against tfjs:wasm in a'],
    ['both', 'scratch and tfjs:wasm are wrong in a'],
    ['undecided', 'tfjs:wasm differs in a'],
  ];
  for (const [side, says] of guilty) {
    it(`the guilty side "${side}" in the verdict`, () => {
      const report = reportOf({
        cases: [redCase('tfjs:wasm', 'a', 'states')],
        diagnoses: [diagnosisOf('tfjs:wasm', 'a', { side })],
      });
      expect(formatVerdict(report)).to.include(says);
      expect(formatSummary(report)).to.include(
        `at fault: ${side === 'both' ? 'both scratch and tfjs:wasm' : side}`,
      );
    });
  }

  it('tells a diagnosis in full: values, ULPs, formula, kind with its page, side, inherited, unseen, tolerances', () => {
    const text = formatSummary(
      reportOf({
        cases: [redCase('tfjs:wasm', 'a', 'gradients.kernel', 'gradients.inputs')],
        diagnoses: [diagnosisOf('tfjs:wasm', 'a', { timeSteps: [0, 1, 2, 3, 7] })],
        warnings: ['gradients.initialState cannot show a fault in 3 of 4 problems: it vanished'],
      }),
    );
    for (const part of [
      'phase backward: dPreActivations at time steps 0-3 and 7',
      'at example 0, time step 3, unit 1: 0.625, expected 0.5 (2,097,152 ULPs apart); dz_t = dh_t (1 - h_t^2)',
      'looks like: the gradient is not carried from a step to the one before (carry/dropped; docs/bptt.md#carry)',
      'at fault: tfjs:wasm; dual numbers at 12 elements agree with scratch',
      'wrong only because of it: gradients.kernel, gradients.inputs',
      'not seen: the update: this side has no optimizer',
      'gradients.kernel 1.3e+6 times, gradients.inputs 1.3e+6 times',
      'error 1.3e-1, allowed 1.0e-7 = the smaller of the rigorous rounding bound and 10 standard deviations',
      'it would have needed --atol 1.3e-1 or --rtol 2.5e-1',
      'run the first again: rnn-parity parity --backends wasm --seed 1 --only a',
      'warning: gradients.initialState cannot show a fault in 3 of 4 problems: it vanished',
    ]) {
      expect(text).to.include(part);
    }
  });

  it('says where the catalogue holds no such mistake', () => {
    const { kind, ...rest } = diagnosisOf('mine', 'a');
    const text = formatSummary(reportOf({ cases: [redCase('mine', 'a', 'states')], diagnoses: [rest] }));
    expect(kind).to.not.equal(undefined);
    expect(text).to.include('looks like: no mistake of the catalogue');
  });

  it('shows the worst of every side before the second of any, and counts the rest by side and tensor', () => {
    const cases = Array.from({ length: 40 }, (_, i) =>
      redCase(i < 39 ? 'tfjs:wasm' : 'graph', `case/${i}`, 'states', 'logits'),
    );
    const text = formatSummary(reportOf({ cases }));
    expect(text).to.include('80 tensors red in 40 of 40 comparisons');
    expect(text).to.include('graph, case/39: states at example 0, time step 3: 0.625, expected 0.5');
    const [, tensors, left, states] =
      /and (\d+) more tensors of (\d+) cases: tfjs:wasm \(states (\d+), logits/.exec(text) ?? [];
    expect(Number(tensors)).to.equal(2 * Number(left));
    expect(states).to.equal(left);
    expect(text.match(/case\/\d+/g)?.length).to.be.at.least(40 - Number(left));
  });

  it('a side that is well is one line where another is red and room is short', () => {
    const cases = Array.from({ length: 30 }, (_, i) => redCase('mine', `case/${i}`, 'states'));
    const sides = Array.from({ length: 20 }, (_, i) => ({
      name: i === 0 ? 'mine' : `side ${i}`,
      status: 'ran' as const,
      required: false,
    }));
    const text = formatSummary(reportOf({ cases, sides }));
    expect(text).to.match(/and \d+ more sides, none of them red/);
    expect(text).to.match(/^mine: 30 cases, 120 numbers compared: 30 RED/m);
  });

  it('an error: message in the verdict, however long, and the first stack', () => {
    const report = reportOf({
      errors: [
        {
          implementation: 'mine',
          caseId: 'a',
          message: `no ink\n${'at all '.repeat(40)}`,
          trace: 'Error\n    at ink.ts:1',
        },
        { implementation: 'mine', caseId: 'b', message: 'no paper', trace: '' },
      ],
      verdict: 'error',
      exitCode: 2,
    });
    expect(formatVerdict(report)).to.match(/^ERROR: mine, a: no ink at all .*; 2 errors in all$/);
    expect(formatSummary(report)).to.include('  at ink.ts:1').and.include('error: mine, b: no paper');
  });

  it('parity: sides by name, and by number where their names do not fit', () => {
    const named = (count: number) =>
      reportOf({
        sides: Array.from({ length: count }, (_, i) => ({
          name: `side ${i}`,
          status: 'ran' as const,
          required: false,
        })),
        verdict: 'parity',
        exitCode: 0,
      });
    expect(formatVerdict(named(2))).to.include('side 0, side 1 agree');
    expect(formatVerdict(named(30))).to.include('30 sides agree');
    expect(lastLine(formatSummary(named(30)))).to.equal(formatVerdict(named(30)));
  });
});
