import type { AnyCandidate } from '../../sides/candidate/index';
import { formatVerdict, type ParityReport } from '../index';
import { isParity, parityOf, type AssertParityOptions } from './assert-parity';
import { ParityAssertionError } from './parity-error';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- chai's plugins add to its global namespace, there is no other way
  namespace Chai {
    interface Assertion {
      /** Runs problems on the candidate; await it. Options are those of `assertParity`. */
      parity(options?: AssertParityOptions): Promise<ParityReport>;
    }
  }
}

/** As much of chai as the plugin uses, so that chai is only needed where it is used. */
interface ChaiLike {
  readonly Assertion: {
    addMethod(name: string, method: (this: object, options?: AssertParityOptions) => unknown): void;
  };
}
interface ChaiUtilsLike {
  flag(assertion: object, name: string): unknown;
}

/**
 * A chai plugin: `chai.use(parityChai)`, then `await expect(candidate).to.have.parity()`, or `.not` for a candidate that must be
 * found wrong (one that throws is neither).
 */
export function parityChai(chai: ChaiLike, utils: ChaiUtilsLike): void {
  chai.Assertion.addMethod('parity', async function (this: object, options?: AssertParityOptions) {
    const report = await parityOf(utils.flag(this, 'object') as AnyCandidate, options);
    const wanted = utils.flag(this, 'negate') !== true;
    if (!wanted && report.verdict === 'mismatch') return report;
    if (wanted && isParity(report)) return report;
    const unwanted = `expected a mismatch, but ${formatVerdict(report)}`;
    throw new ParityAssertionError(
      report,
      wanted || report.verdict !== 'parity' ? {} : { message: unwanted },
    );
  });
}
