import { DOMParser, type Element } from '@xmldom/xmldom';
import { expect } from 'chai';
import fc from 'fast-check';
import { formatJunit, type ParityReport } from '../../../harness/parity/index';
import { caseVerdict } from '../../../harness/judge/index';
import { anyReport, diagnosisOf, failingCase, failingTensor, reportOf } from './synthetic-report';

/** Parses strictly: anything that is not well-formed XML is an error. */
function rootOf(text: string): Element {
  const onError = (level: string, message: string): never => {
    throw new Error(`${level}: ${message}`);
  };
  const root = new DOMParser({ onError }).parseFromString(text, 'text/xml').documentElement;
  if (root === null) throw new Error('no root');
  return root;
}
const all = (root: Element, name: string): Element[] => Array.from(root.getElementsByTagName(name));
const counts = (element: Element): number[] =>
  ['tests', 'failures', 'errors', 'skipped'].map((name) => Number(element.getAttribute(name)));
const found = (element: Element): number[] =>
  ['testcase', 'failure', 'error', 'skipped'].map((name) => all(element, name).length);
const junit = (report: Partial<ParityReport>): Element => rootOf(formatJunit(reportOf(report)));

describe('the JUnit report', () => {
  it('is well-formed, counts rightly and is green only for a green run, whatever the run was', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const root = rootOf(formatJunit(report));
        expect(counts(root)).to.deep.equal(found(root));
        for (const suite of all(root, 'testsuite')) expect(counts(suite)).to.deep.equal(found(suite));
        const [, failures, errors] = counts(root);
        const known = report.sides.some(({ name, status }) => status === 'ran' && name !== '');
        if (report.verdict === 'parity') expect(failures + errors).to.equal(0);
        else if (known) expect(failures + errors, report.verdict).to.be.greaterThan(0);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('has a test case a case and side; a failure holds the diagnosis and the command', () => {
    const green = caseVerdict('b', 'mine', 'scratch', [
      failingTensor('mine', 'b', 'states', { status: 'pass' }),
    ]);
    const root = junit({
      cases: [failingCase('mine', 'a', 'gradients.kernel'), green],
      diagnoses: [diagnosisOf('mine', 'a')],
    });
    const names = all(root, 'testcase').map(
      (one) => `${one.getAttribute('classname') ?? ''}: ${one.getAttribute('name') ?? ''}`,
    );
    expect(names.slice(0, 2)).to.deep.equal(['mine: a', 'mine: b']);
    const [failure] = all(root, 'failure');
    expect(failure.getAttribute('type')).to.equal('backward');
    expect(failure.getAttribute('message')).to.include('dPreActivations at time step 3');
    expect(failure.textContent).to.include('looks like: the gradient is not carried');
    expect(failure.textContent).to.include('rnn-parity parity --seed 1 --only a');
    expect(all(root, 'testcase')[1].childNodes.length).to.equal(0);
  });

  it('what a side threw is an error with its trace, and what it did not come to is skipped', () => {
    const root = junit({
      sides: [{ name: 'mine', status: 'ran', required: true }],
      plan: ['a', 'b'].map((caseId) => ({ implementation: 'mine', caseId, tensors: { states: 4 } })),
      errors: [
        { implementation: 'mine', caseId: 'a', message: 'no \u001b[31mink\u0000', trace: 'at ink.ts:1' },
      ],
      verdict: 'error',
    });
    expect(all(root, 'error')[0].textContent).to.include('at ink.ts:1');
    expect(all(root, 'skipped')[0].getAttribute('message')).to.include('no verdict');
  });

  it('a side that did not run is skipped, and an error where it was required', () => {
    const side = { name: 'wasm', status: 'not run', reason: 'unplugged' } as const;
    const free = junit({ sides: [{ ...side, required: false }], verdict: 'parity' });
    expect(counts(free)).to.deep.equal([2, 0, 0, 1]);
    const required = junit({ sides: [{ ...side, required: true }], verdict: 'backend not run' });
    expect(counts(required)).to.deep.equal([2, 0, 1, 0]);
    expect(all(required, 'error')[0].getAttribute('message')).to.include('unplugged');
  });

  it('a mismatch of the ledger alone is a failure', () => {
    const root = junit({ audit: ['mine, a: states is planned, but the report does not hold it'] });
    expect(all(root, 'failure')[0].textContent).to.include('states is planned');
    const unshown = [{ implementation: 'mine', tensor: 'loss' }];
    expect(all(junit({ unshown, complete: true }), 'failure')).to.have.length(1);
  });
});
