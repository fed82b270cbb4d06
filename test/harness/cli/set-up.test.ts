import { expect } from 'chai';
import { outcomeOf } from '../../../harness/cli/setup';
import { showProgress } from '../../../harness/cli/show-progress';
import { BackendNotRunError } from '../../../harness/base/outcome';
import { SetUpError } from '../../../src/index';
import { withEnvironment } from '../../support/environment';

describe('rnn-parity setup', () => {
  const failing = (): Promise<never> => Promise.reject(new SetUpError('there is no pip', 'install it'));

  it('says in one line what it did', async () => {
    const outcome = await outcomeOf(
      () => Promise.resolve({ how: 'linked' as const, version: 'TensorFlow 2.21.0', addon: '/a.node' }),
      true,
    );
    expect(outcome).to.deep.equal({
      text: 'native: ready, linked from the cache (TensorFlow 2.21.0)',
      json: { available: true, how: 'linked', version: 'TensorFlow 2.21.0', addon: '/a.node' },
    });
  });

  it('says in one line why it cannot and what to do, and is content with wasm and cpu', async () => {
    const outcome = await withEnvironment({ NATIVE_REQUIRED: undefined }, () => outcomeOf(failing, false));
    expect(outcome).to.deep.equal({
      text: 'native: not available, wasm and cpu are used: there is no pip; install it',
      json: { available: false, reason: 'there is no pip', fix: 'install it' },
    });
  });

  for (const [how, required, value] of [
    ['--require', true, undefined],
    ['NATIVE_REQUIRED=1', false, '1'],
  ] as const)
    it(`fails with exit code 3 under ${how}`, async () => {
      const error: unknown = await withEnvironment({ NATIVE_REQUIRED: value }, () =>
        outcomeOf(failing, required).catch((thrown: unknown) => thrown),
      );
      expect(error).to.be.instanceOf(BackendNotRunError);
      expect((error as Error).message).to.equal(
        'the native backend is required but not available: there is no pip; install it',
      );
    });

  it('takes NATIVE_REQUIRED=0 for no', async () => {
    const outcome = await withEnvironment({ NATIVE_REQUIRED: '0' }, () => outcomeOf(failing, false));
    expect(outcome.text).to.include('not available');
  });

  it('passes other errors on', async () => {
    const broken = new TypeError('a bug');
    const error: unknown = await outcomeOf(() => Promise.reject(broken), false).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.equal(broken);
  });

  it('shows a line for each step where stderr is no terminal', () => {
    let text = '';
    const stderr = { isTTY: false, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
    const { report, end } = showProgress(stderr);
    report({ step: 'download', done: 0, total: 274e6 });
    report({ step: 'download', done: 1e6, total: 274e6 });
    report({ step: 'extract', done: 5 });
    report({ step: 'extract', done: 6 });
    report({ step: 'check' });
    end();
    expect(text.split('\n')).to.deep.equal([
      'native: downloading TensorFlow with pip (274 MB) ...',
      'native: unpacking and compiling ...',
      'native: checking that it computes ...',
      '',
    ]);
  });
});
