import type { Phase } from '../../../harness/base/problem';
import fc from 'fast-check';
import type { Diagnosis } from '../../../harness/diagnosis/index';
import {
  caseVerdict,
  type CaseVerdict,
  type TensorStatus,
  type TensorVerdict,
} from '../../../harness/judge/index';
import type { HarnessError, ParityReport, SideReport } from '../../../harness/parity/index';
import { tensorNames } from '../../../harness/base/problem';

/** A failing tensor as the judge reports it. */
export function failingTensor(
  implementation: string,
  caseId: string,
  tensor: string,
  more: Partial<TensorVerdict> = {},
): TensorVerdict {
  return {
    implementation,
    caseId,
    tensor,
    status: 'differs',
    reason: '1 of 4 elements beyond the tolerance',
    elements: 4,
    compared: 4,
    beyond: 1,
    worst: {
      index: [0, 3],
      at: { example: 0, timeStep: 3 },
      reference: 0.5,
      given: 0.625,
      error: 0.125,
      allowed: 1e-7,
      usedShare: 1.25e6,
    },
    tolerance: 'the smaller of the rigorous rounding bound and 10 standard deviations',
    digits: 6,
    needed: { absolute: 0.125, relative: 0.25 },
    ...more,
  };
}

export function failingCase(implementation: string, caseId: string, ...tensors: string[]): CaseVerdict {
  return caseVerdict(
    caseId,
    implementation,
    'scratch',
    tensors.map((tensor) => failingTensor(implementation, caseId, tensor)),
  );
}

export function diagnosisOf(
  implementation: string,
  caseId: string,
  more: Partial<Diagnosis> = {},
): Diagnosis {
  return {
    implementation,
    caseId,
    phase: 'backward',
    tensor: 'dPreActivations',
    formula: 'dz_t = dh_t (1 - h_t^2)',
    timeSteps: [3],
    worst: { at: { example: 0, timeStep: 3, unit: 1 }, given: 0.625, expected: 0.5, ulps: 2097152 },
    inherited: ['gradients.kernel', 'gradients.inputs'],
    kind: {
      names: ['carry/dropped'],
      words: 'the gradient is not carried from a step to the one before',
      page: 'docs/bptt.md#carry',
    },
    side: implementation,
    sideNote: 'dual numbers at 12 elements agree with scratch',
    unseen: ['the update: this side has no optimizer'],
    ...more,
  };
}

/** A report of these cases, concluded as a mismatch unless `more` says otherwise. */
export function reportOf(more: Partial<ParityReport>): ParityReport {
  const cases = more.cases ?? [];
  const names = [...new Set(cases.map(({ implementation }) => implementation))];
  return {
    format: 'rnn-parity-report/1',
    seed: 1,
    only: null,
    complete: false,
    sides: names.map((name): SideReport => ({ name, status: 'ran', required: false })),
    notes: [],
    plan: [],
    cases,
    diagnoses: [],
    warnings: [],
    errors: [],
    unshown: [],
    audit: [],
    verdict: 'mismatch',
    exitCode: 1,
    ...more,
  };
}

const adversarialText = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom('edge/one-step', 'a line\nand another', `long/${'x'.repeat(150)}`, 'tab\tand  spaces'),
);
const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('tfjs:wasm', 'tfjs:cpu', 'graph', 'scratch', 'mine') },
  { weight: 1, arbitrary: adversarialText },
);
const statuses: TensorStatus[] = [
  'pass',
  'zero',
  'omitted',
  'ill',
  'differs',
  'nan',
  'missing',
  'extra',
  'shape',
];
const phases: Phase[] = ['forward', 'loss', 'backward', 'update'];

const sizes = { maxLength: 30 };

/** Reports of every kind and length, with texts that a candidate may have put into them. */
export const anyReport: fc.Arbitrary<ParityReport> = fc
  .record({
    sides: fc.uniqueArray(names, { minLength: 0, maxLength: 60 }),
    cases: fc.array(
      fc.record({
        side: fc.nat(),
        id: adversarialText,
        tensors: fc.array(
          fc.record({
            tensor: fc.oneof(fc.constantFrom(...tensorNames), adversarialText),
            status: fc.constantFrom(...statuses),
            share: fc.double({ min: 1, max: 1e12, noNaN: true }),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        diagnosed: fc.boolean(),
        steps: fc.option(fc.uniqueArray(fc.nat(300), { maxLength: 40 }), { nil: undefined }),
        side_: fc.constantFrom('scratch', 'own', 'both', 'undecided'),
        words: fc.option(adversarialText, { nil: undefined }),
        phase: fc.constantFrom(...phases),
      }),
      { maxLength: 60 },
    ),
    errors: fc.array(fc.record({ side: fc.nat(), id: adversarialText, message: adversarialText }), sizes),
    lines: fc.record({
      audit: fc.array(adversarialText, sizes),
      notes: fc.array(adversarialText, sizes),
      warnings: fc.array(adversarialText, sizes),
      unshown: fc.array(adversarialText, sizes),
    }),
    notRun: fc.boolean(),
  })
  .map(({ sides, cases, errors, lines, notRun }) => {
    const sideName = (at: number): string => sides[at % Math.max(1, sides.length)] ?? 'nobody';
    const verdicts = cases.map(({ side, id, tensors }, i) => {
      const implementation = sideName(side);
      const caseId = `${i} ${id}`;
      return caseVerdict(
        caseId,
        implementation,
        'scratch',
        tensors.map(({ tensor, status, share }) => {
          const verdict = failingTensor(implementation, caseId, tensor, { status });
          const { worst } = verdict;
          return worst === undefined ? verdict : { ...verdict, worst: { ...worst, usedShare: share } };
        }),
      );
    });
    const failed = verdicts.filter(({ status }) => status === 'fail');
    const diagnoses = cases.flatMap(({ diagnosed, steps, side_, words, phase }, i) =>
      diagnosed && verdicts[i].status === 'fail'
        ? [
            diagnosisOf(verdicts[i].implementation, verdicts[i].caseId, {
              phase,
              ...(steps && { timeSteps: [...steps].sort((a, b) => a - b) }),
              side: side_ === 'own' ? verdicts[i].implementation : side_,
              ...(words !== undefined && { kind: { names: [words, 'other'], words, page: words } }),
            }),
          ]
        : [],
    );
    const thrown = errors.map(({ side, id, message }): HarnessError => ({
      implementation: sideName(side),
      caseId: id,
      message,
      trace: 'Error\n    at one\n    at two',
    }));
    const { audit, notes, warnings, unshown } = lines;
    const isWrong = failed.length + audit.length > 0;
    return reportOf({
      sides: sides.map((name, i) =>
        notRun && i === 0
          ? { name, status: 'not run', required: true, reason: 'it is unplugged' }
          : { name, status: 'ran', required: false },
      ),
      cases: verdicts,
      diagnoses,
      errors: thrown,
      audit,
      notes,
      warnings,
      unshown: unshown.map((tensor, i) => ({ implementation: sideName(i), tensor })),
      verdict: thrown.length > 0 ? 'error' : isWrong ? 'mismatch' : notRun ? 'backend not run' : 'parity',
    });
  });
