import path from 'node:path';
import { expect, use } from 'chai';
import { ModelAssertionError } from '../../../harness/check/assert-model';
import { parityChai } from '../../../harness/check/chai-plugin';
import { openModelFile } from '../../../harness/models/index';
import { modelFixtures } from '../../support/model-fixtures';

const file = (name: string): string => path.join(modelFixtures, `${name}.keras`);

describe('expect(model).to.have.parity()', () => {
  before(() => {
    use(parityChai);
  });

  it('holds for a file and for a model that was opened', async () => {
    const report = await expect(file('simple-rnn')).to.have.parity({ sides: ['tfjs:cpu'] });
    expect(report.verdict).to.equal('parity');
    await expect(await openModelFile(file('lstm'))).to.have.parity({
      sides: ['twin:cpu'],
      forwardOnly: true,
    });
  });

  it('fails with the layer, the time step and the cause', async () => {
    const options = { sides: ['tfjs:cpu'] } as const;
    const error = await expect(file('masked-states'))
      .to.have.parity(options)
      .catch((thrown: unknown) => thrown as ModelAssertionError);
    expect(error).to.be.instanceOf(ModelAssertionError);
    expect((error as ModelAssertionError).message).to.match(
      /^MISMATCH: tfjs:cpu differs at layer 3 decoder \(LSTM\), output, time step \d.*masked step/,
    );
    await expect(file('masked-states')).not.to.have.parity(options);
  });

  it('fails where a side that is named does not run, for .not as well', async () => {
    for (const assertion of [expect(file('gru')).to.have, expect(file('gru')).not.to.have]) {
      const error = await assertion
        .parity({ sides: ['tfjs:cpu'] })
        .catch((thrown: unknown) => thrown as ModelAssertionError);
      expect((error as ModelAssertionError).message).to.include('NOT RUN: tfjs:cpu');
    }
  });
});
