import type { AnyProblem, Evaluation, Implementation } from '../base/problem';
import { diagnose, diagnosisOrder, onlyWhere } from '../diagnosis/index';
import { diagnoseUpdate } from '../diagnosis/update/index';
import type { Examination } from '../examine/index';
import { isOfNumbers, type CaseVerdict, type TrainingComparison } from '../judge/index';
import { isFatal } from '../base/side-errors';
import type { Collected } from './collected';
import { singlePrecisionNames } from './compare-vectors';

/** Failed problems of a side that are diagnosed by default; each costs a few more questions to the side and referee runs. */
const usualDiagnoses = 3;

/** The first updates of each check are kept, to tell which mistake of an optimizer another one shows. */
const updatesKept = 3;

/** The problems and updates that fail on a side, and what is wrong with them. */
export class SideFailures {
  private readonly failed: Examination<AnyProblem>[] = [];
  private readonly passed: AnyProblem[] = [];
  /** of a vectors file, by the examination that failed against them */
  private readonly expected = new Map<Examination<AnyProblem>, Evaluation>();
  /** the first ones of every check */ private readonly updates: TrainingComparison[] = [];
  private failedUpdate:
    { readonly comparison: TrainingComparison; readonly verdict: CaseVerdict } | undefined;

  constructor(
    private readonly implementation: Implementation,
    private readonly findings: Pick<Collected, 'notes' | 'diagnoses'>,
  ) {}

  /** @param expected numbers of a vectors file, which it was compared with instead of the reference's */
  add(examination: Examination<AnyProblem>, expected?: Evaluation): void {
    if (isOfNumbers(examination.verdicts)) this.failed.push(examination);
    else if (examination.status === 'pass') this.passed.push(examination.problem);
    if (expected !== undefined) this.expected.set(examination, expected);
  }

  /** @param i of the update in its check */
  addUpdate(i: number, comparison: TrainingComparison, verdict: CaseVerdict): void {
    if (i < updatesKept) this.updates.push(comparison);
    if (verdict.status === 'fail') this.failedUpdate ??= { comparison, verdict };
  }

  /** Says what is wrong with those failed problems that tell most (`diagnosisOrder`), and with the first wrong update. */
  async diagnose(most = usualDiagnoses): Promise<void> {
    const { implementation, findings } = this;
    this.noteSinglePrecision();
    // the first wrong update: later ones may only follow from it
    if (this.failedUpdate !== undefined) {
      const { comparison, verdict } = this.failedUpdate;
      const others = this.updates.filter((other) => other !== comparison && isOfSameRule(other, comparison));
      findings.diagnoses.push(await diagnoseUpdate(implementation, comparison, verdict, others));
    }
    const order = diagnosisOrder(this.failed);
    const where = onlyWhere(
      this.failed.map(({ problem }) => problem),
      this.passed,
    );
    for (const examination of order.slice(0, most)) {
      try {
        const found = await diagnose(implementation, examination, {
          expected: this.expected.get(examination),
        });
        findings.diagnoses.push({ ...found, ...(where !== undefined && { onlyWhere: where }) });
      } catch (error) {
        if (isFatal(error)) throw error;
        findings.notes.push(
          `${implementation.name}, ${examination.problem.id}: could not be diagnosed: ${String(error)}`,
        );
      }
    }
    if (order.length > most)
      findings.notes.push(
        `${implementation.name}: ${most} of ${order.length} failed problems ${most === 1 ? 'was' : 'were'} diagnosed, ordinary ones first`,
      );
  }

  /** Numbers of a side that declares float64 and fails, which only single precision gives. */
  private noteSinglePrecision(): void {
    const { name, precision } = this.implementation;
    if (precision !== 'float64' || this.failed.length === 0) return;
    const [first, ...others] = this.failed.map(({ results }) =>
      results === undefined ? new Set<string>() : singlePrecisionNames(results.answer),
    );
    const single = [...first].filter((tensor) => others.every((names) => names.has(tensor)));
    if (single.length > 0)
      this.findings.notes.push(
        `${name}: every number of ${single.slice(0, 3).join(', ')}${single.length > 3 ? ` and ${single.length - 3} more tensors` : ''} is exact in float32; declare precision: 'float32' where it computes in single precision`,
      );
  }
}

function isOfSameRule(one: TrainingComparison, other: TrainingComparison): boolean {
  const rules = [one, other].map(({ optimizer, clipNorm }) => JSON.stringify({ optimizer, clipNorm }));
  return rules[0] === rules[1];
}
