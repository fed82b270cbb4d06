import { expect } from 'chai';
import fc from 'fast-check';
import { formatSummary, formatVerdict } from '../../../harness/parity/index';
import { anyReport, diagnosisOf, failingCase, reportOf } from './synthetic-report';

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

  it('hides no failing case: every side says how many of its comparisons fail, or is counted', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const text = formatSummary(report).replace(/\s+/g, ' ');
        const sides = [...new Set(report.cases.map(({ implementation }) => implementation))];
        const failing = sides.filter((side) =>
          report.cases.some(({ implementation, status }) => implementation === side && status === 'fail'),
        );
        const named = failing.filter((side) => {
          const own = report.cases.filter(({ implementation }) => implementation === side);
          const failed = own.filter(({ status }) => status === 'fail').length;
          return text.includes(`${side}: ${failed} of ${own.length} comparison`.replace(/\s+/g, ' ').trim());
        });
        const [, counted = '0'] = /and (\d+) more sides? with failing comparisons/.exec(text) ?? [];
        expect(named.length + Number(counted)).to.be.at.least(failing.length);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('--verbose hides nothing at all', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const text = formatSummary(report, { verbose: true }).replace(/\s+/g, ' ');
        for (const { implementation, caseId, status } of report.cases) {
          const place = `${implementation}, ${caseId}`.replace(/\s+/g, ' ').trim();
          if (status === 'fail') expect(text).to.include(place);
        }
        for (const line of [...report.notes, ...report.warnings, ...report.audit])
          expect(text).to.include(line.replace(/\s+/g, ' ').trim());
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it('names side, case, phase, tensor, time step and kind in the verdict', () => {
    const report = reportOf({
      cases: [failingCase('tfjs:wasm', 'edge/one', 'gradients.kernel')],
      diagnoses: [diagnosisOf('tfjs:wasm', 'edge/one')],
    });
    expect(formatVerdict(report)).to.equal(
      'MISMATCH: tfjs:wasm is wrong in edge/one, backward, dPreActivations at time step 3: carry/dropped',
    );
  });

  it('keeps side, phase, tensor and step where names are long', () => {
    const name = `candidate-${'x'.repeat(80)}`;
    const report = reportOf({
      cases: [failingCase(name, `case/${'y'.repeat(80)}`, 'gradients.kernel')],
      diagnoses: [diagnosisOf(name, `case/${'y'.repeat(80)}`)],
    });
    const verdict = formatVerdict(report);
    expect(verdict.length).to.be.at.most(120);
    expect(verdict).to.match(/candidate-x.*case\/y.*backward, dPreActivations at time step 3/);
  });

  it('says what a mistake of a network of layers is called, rather than where it begins', () => {
    const words = 'c_t: the factor σ(z_t[f]) is forgotten, which is no short name at all for it';
    const kind = { names: [`layer1, ${words}`], words, page: 'docs/bptt-gated.md#candidate' };
    const [id, tensor] = ['layered/lstm, masked, 6', 'layer 1 lstm, gate f, c'];
    const verdictOf = (names: readonly string[]): string =>
      formatVerdict(
        reportOf({
          cases: [failingCase('mine', id, 'finalStates.layer1.c')],
          diagnoses: [diagnosisOf('mine', id, { tensor, kind: { ...kind, names } })],
        }),
      );
    expect(verdictOf(kind.names)).to.equal(`MISMATCH: mine is wrong, layer 1 lstm: ${words}`);
    const long = verdictOf([`layer1, ${words.repeat(3)}`]);
    expect([
      long.length <= 120,
      long.startsWith(`MISMATCH: mine is wrong, layer 1 lstm: ${words.slice(0, 40)}`),
    ]).to.deep.equal([true, true]);
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
        cases: [failingCase('tfjs:wasm', 'a', 'states')],
        diagnoses: [diagnosisOf('tfjs:wasm', 'a', { side })],
      });
      expect(formatVerdict(report)).to.include(says);
      expect(formatSummary(report)).to.include(
        `at fault: ${side === 'both' ? 'both scratch and tfjs:wasm' : side}`,
      );
    });
  }

  it('prints a diagnosis in full: values, ULPs, formula, kind with its page, side, inherited, unseen, tolerances', () => {
    const text = formatSummary(
      reportOf({
        cases: [failingCase('tfjs:wasm', 'a', 'gradients.kernel', 'gradients.inputs')],
        diagnoses: [diagnosisOf('tfjs:wasm', 'a', { timeSteps: [0, 1, 2, 3, 7] })],
        warnings: ['gradients.initialState cannot show a fault in 3 of 4 problems: it vanished'],
      }),
    );
    for (const part of [
      'begins in the backward pass: dPreActivations at time steps 0-3 and 7, case a',
      'numbers: 0.625, expected 0.5 at example 0, time step 3, unit 1 (more than 1e6 ULPs apart); dz_t = dh_t (1 - h_t^2)',
      'looks like: the gradient is not carried from a step to the one before (carry/dropped; docs/bptt.md#carry)',
      'at fault: tfjs:wasm; dual numbers at 12 elements agree with scratch',
      'wrong only because of it: gradients.kernel, gradients.inputs',
      'not seen: the update: this side has no optimizer',
      '1 of 1 comparison fails: gradients.kernel 1, gradients.inputs 1',
      'used more than 1e6 times its budget: error 1.3e-1',
      'error 1.3e-1, allowed 1.0e-7 = the smaller of the rigorous rounding bound and 10 standard deviations',
      'it would have needed --atol 1.3e-1 or --rtol 2.5e-1',
      'run it again: rnn-parity parity --backends wasm --seed 1 --only a',
      'warning: gradients.initialState cannot show a fault in 3 of 4 problems: it vanished',
    ]) {
      expect(text).to.include(part);
    }
  });

  it('says a generated name once, as its sentence, and its layer only where two layers may have the fault', () => {
    const sign = 'h_t: the sign is wrong';
    for (const [names, words, says] of [
      [[`layer1, ${sign}`], sign, `${sign} (docs/a.md#b)`],
      [[`layer1, ${sign}, at time step 3`], `${sign}, at time step 3 alone`, 'step 3 alone (docs/a.md#b)'],
      [[`layer1, ${sign}`, `layer2, ${sign}`], sign, `(layer1, ${sign} or layer2, ${sign}; docs/a.md#b)`],
      [['lstm, c_t: x'], 'the forget gate is left out', 'is left out (lstm, c_t: x; docs/a.md#b)'],
    ] as const) {
      const kind = { names, words, page: 'docs/a.md#b' };
      const text = formatSummary(
        reportOf({
          cases: [failingCase('mine', 'a', 'states')],
          diagnoses: [diagnosisOf('mine', 'a', { kind })],
        }),
      );
      expect(text).to.include(says);
    }
  });

  it('says where the catalogue holds no such fault', () => {
    const { kind, ...rest } = diagnosisOf('mine', 'a');
    const text = formatSummary(reportOf({ cases: [failingCase('mine', 'a', 'states')], diagnoses: [rest] }));
    expect(kind).to.not.equal(undefined);
    expect(text).to.include('looks like: no fault of the catalogue');
  });

  it('a block a side, the worst first; a side that fails in the same way is a line', () => {
    const cases = Array.from({ length: 40 }, (_, i) =>
      failingCase(i < 39 ? 'tfjs:wasm' : 'graph', `case/${i}`, 'states', 'logits'),
    );
    const text = formatSummary(reportOf({ cases }));
    expect(text).to.include('tfjs:wasm: 39 of 39 comparisons fail: states 39, logits 39');
    expect(text).to.include('graph: 1 of 1 comparison fails: states 1, logits 1');
    expect(text).to.include('graph, case/39: states at example 0, time step 3: 0.625, expected 0.5');
    const diagnoses = [diagnosisOf('tfjs:wasm', 'case/0'), diagnosisOf('graph', 'case/39')];
    expect(formatSummary(reportOf({ cases, diagnoses }))).to.match(/^graph: 1 of 1 .*, in the same way$/m);
  });

  it('sides that pass are counted where one fails and room is short', () => {
    const cases = Array.from({ length: 30 }, (_, i) => failingCase('mine', `case/${i}`, 'states'));
    const sides = Array.from({ length: 60 }, (_, i) => ({
      name: i === 0 ? 'mine' : `side ${i}`,
      status: 'ran' as const,
      required: false,
    }));
    const text = formatSummary(reportOf({ cases, sides }));
    expect(text).to.match(/and \d+ more sides, 0 of them failing/);
    expect(text).to.match(/^ {2}mine +30 +30 +120 +>1e6 times +- +- +-$/m);
  });

  it('the table is readable at 100 columns, whatever the sides are called and used', () => {
    const cases = ['mine', 'x'.repeat(90)].map((name) =>
      failingCase(name, 'a', 'states', 'logits', 'gradients.kernel'),
    );
    const rows = formatSummary(reportOf({ cases })).split('\n').slice(0, 3);
    expect(rows[0]).to.match(/^ {2}side +cases +failing +numbers +states +output +gradients +training$/);
    for (const row of rows) expect(row.length).to.be.at.most(100);
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
