import type { ModelDescription } from '../models/index';
import type { ParityReport } from '../parity/index';
import { isParity, ParityAssertionError, parityOf, type AssertParityOptions } from '../parity/assert/index';
import { formatVerdict } from '../parity/index';
import type { AnyCandidate } from '../sides/candidate/index';
import { assertModelParity, ModelAssertionError } from './assert-model';
import { checkModel, type CheckOptions, type CheckReport } from './check-model';
import { checkVerdict } from './report';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- chai's plugins add to its global namespace, there is no other way
  namespace Chai {
    interface Assertion {
      /** Runs problems on a candidate; await it. Options are those of `assertParity`. */
      parity(options?: AssertParityOptions): Promise<ParityReport>;
      /** Of a model, by its file or as `openModelFile` gives it: runs it on the sides; await it. Options are those of `checkModel`. */
      parity(options?: CheckOptions): Promise<CheckReport>;
    }
  }
}

/** As much of chai as the plugin uses, so that chai is only needed where it is used. */
interface ChaiLike {
  readonly Assertion: {
    addMethod(name: string, method: (this: object, options?: object) => unknown): void;
  };
}
interface ChaiUtilsLike {
  flag(assertion: object, name: string): unknown;
}

/**
 * A chai plugin: `chai.use(parityChai)`, then `await expect(candidate).to.have.parity()`, or `await expect('model.keras').to.have.parity()`;
 * `.not` for a candidate or a model that must be found wrong (one that throws, or does not run, is neither).
 */
export function parityChai(chai: ChaiLike, utils: ChaiUtilsLike): void {
  chai.Assertion.addMethod('parity', async function (this: object, options?: object) {
    const subject = utils.flag(this, 'object');
    const wanted = utils.flag(this, 'negate') !== true;
    if (isModel(subject)) {
      if (wanted) return assertModelParity(subject, options);
      const report = await checkModel(subject, options);
      if (report.verdict === 'mismatch') return report;
      throw new ModelAssertionError(report, `expected a mismatch, but ${checkVerdict(report)}`);
    }
    const report = await parityOf(subject as AnyCandidate, options);
    if (!wanted && report.verdict === 'mismatch') return report;
    if (wanted && isParity(report)) return report;
    const unwanted = `expected a mismatch, but ${formatVerdict(report)}`;
    throw new ParityAssertionError(
      report,
      wanted || report.verdict !== 'parity' ? {} : { message: unwanted },
    );
  });
}

function isModel(subject: unknown): subject is string | ModelDescription {
  return (
    typeof subject === 'string' ||
    (typeof subject === 'object' && subject !== null && 'writtenBy' in subject && 'layers' in subject)
  );
}
