import { AssertionError } from 'node:assert';
import { formatFailure, worstNumbers, type ParityReport } from '../index';

/**
 * A candidate is not the reference's function: `message` is the verdict with the diagnosis below, `actual` and `expected` are the
 * worst number of both, where there are numbers. Test runners show it as a failed assertion.
 */
export class ParityAssertionError extends AssertionError {
  constructor(
    /** all that was found */ readonly report: ParityReport,
    options: { readonly message?: string } = {},
  ) {
    const { given, expected } = worstNumbers(report) ?? {};
    super({
      message: options.message ?? formatFailure(report),
      actual: given,
      expected,
      operator: 'parity',
    });
  }
}
