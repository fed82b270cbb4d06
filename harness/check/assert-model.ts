import { AssertionError } from 'node:assert';
import type { ModelDescription } from '../models/index';
import { checkModel, type CheckOptions, type CheckReport } from './check-model';
import { checkVerdict, formatCheck } from './report';

/** A model is not the same function on every side: `message` is the verdict with the report below. Test runners show it as a failed assertion. */
export class ModelAssertionError extends AssertionError {
  constructor(
    /** all that was found */ readonly report: CheckReport,
    message: string,
  ) {
    super({ message, operator: 'parity' });
  }
}

/**
 * Runs a model on every side there is, or on those of `sides`, and judges every layer and its gradients.
 *
 * @param model a file that `openModelFile` opens, or what it gave
 * @returns the report, when all is well
 * @throws ModelAssertionError when a side differs, one that is named did not run, or no side ran; UsageError on a file that is not read
 */
export async function assertModelParity(
  model: string | ModelDescription,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const report = await checkModel(model, options);
  const isShown = report.sides.some(({ status }) => status === 'parity');
  if (report.verdict === 'parity' && isShown) return report;
  throw new ModelAssertionError(report, `${checkVerdict(report)}\n${formatCheck(report)}`);
}
