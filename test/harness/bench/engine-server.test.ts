import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { NetworkPlan, type StackWeights } from '../../../scratch/index';
import { encodeProblem, makeProblem } from '../../../harness/bench/data';
import { ChildAbsentError } from '../../../harness/base/process/index';
import type { BenchEngine } from '../../../harness/bench/process/engine';
import { serveEngine } from '../../../harness/bench/process/engine-server';
import { networkOf, parseSize } from '../../../harness/bench/size';

/** Counts its calls; its loss is what it is told. */
class CountingEngine implements BenchEngine {
  readonly versions = { counting: '1' };
  readonly tasks = ['step', 'forward1', 'setup'] as const;
  readonly scores = 'logits';
  readonly learningRates: number[] = [];
  steps = 0;
  released = 0;
  loss = 0.5;

  open({ learningRate }: { readonly learningRate: number }): void {
    this.learningRates.push(learningRate);
  }
  trainStep(): number {
    this.steps++;
    return this.loss;
  }
  forward(): Promise<number[]> {
    return Promise.resolve([1, 2, 3]);
  }
  epoch(): number {
    return 0;
  }
  setUp(): () => void {
    return () => {
      this.released++;
    };
  }
  weights(): StackWeights {
    return new NetworkPlan(networkOf(parseSize('S')), 'test').initialWeights(1);
  }
  tensors(): number {
    return 12;
  }
}

/** Sends requests in turn and returns the answers. */
async function converse(load: () => Promise<BenchEngine>, requests: readonly object[]): Promise<unknown[]> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const served = serveEngine(load, input, output);
  const answers = createInterface({ input: output })[Symbol.asyncIterator]();
  const received: unknown[] = [];
  for (const [i, request] of requests.entries()) {
    input.write(`${JSON.stringify({ id: i + 1, ...request })}\n`);
    received.push(JSON.parse((await answers.next()).value as string));
  }
  input.end();
  await served;
  return received;
}

describe('harness/bench engine server', () => {
  it('starts, checks at learning rate 1, warms up and counts calls', async () => {
    const engine = new CountingEngine();
    const size = parseSize('S');
    const problem = encodeProblem(await makeProblem(size, size.batch, 1));
    const answers = await converse(
      () => Promise.resolve(engine),
      [
        { op: 'start' },
        { op: 'open', problem },
        { op: 'check' },
        { op: 'warm', task: 'step', calls: 5, milliseconds: 0 },
        { op: 'run', task: 'step', calls: 7 },
        { op: 'run', task: 'setup', calls: 3 },
        { op: 'status' },
      ],
    );
    expect(answers[0]).to.deep.nested.include({ id: 1, 'result.tasks': ['step', 'forward1', 'setup'] });
    expect(engine.learningRates).to.deep.equal([0.01, 1, 0.01]);
    expect(answers[2]).to.have.nested.property('result.loss', 0.5);
    expect(answers[2]).to.have.nested.property('result.forward1.shape').that.deep.equals([1, 3]);
    expect(answers[2]).to.have.property('result').that.does.not.have.property('forward256');
    expect(answers[3]).to.have.nested.property('result.calls', 5);
    expect(engine.steps).to.equal(1 + 5 + 7);
    expect(engine.released).to.equal(3);
    expect(answers[6]).to.have.nested.property('result.tensors', 12);
    expect(answers[6]).to.have.nested.property('result.rssBytes').that.is.above(1e6);
  });

  it('distinguishes absence from failure, and continues after an error', async () => {
    let tries = 0;
    const engine = new CountingEngine();
    const load = (): Promise<BenchEngine> =>
      ++tries === 1 ? Promise.reject(new ChildAbsentError('not installed')) : Promise.resolve(engine);
    const answers = await converse(load, [
      { op: 'start' },
      { op: 'run', task: 'step', calls: 1 },
      { op: 'start' },
      { op: 'run', task: 'step', calls: 1 },
    ]);
    expect(answers[0]).to.have.property('error').that.includes({ message: 'not installed', absent: true });
    expect(answers[1]).to.have.nested.property('error.message').that.includes('not started');
    expect(answers[2]).to.have.property('result');
    expect(answers[3]).to.have.nested.property('error.message').that.includes('No problem is open');
  });

  it('refuses to time a training that overflows', async () => {
    const engine = new CountingEngine();
    const size = parseSize('S');
    const problem = encodeProblem(await makeProblem(size, size.batch, 1));
    engine.loss = NaN;
    const answers = await converse(
      () => Promise.resolve(engine),
      [{ op: 'start' }, { op: 'open', problem }, { op: 'run', task: 'step', calls: 2 }],
    );
    expect(answers[2]).to.have.nested.property('error.message').that.includes('the loss became NaN');
  });
});
