import { ScratchNetwork, ScratchSimpleRNNClassifier, type StackWeights } from '../../../scratch/index';
import { OwnEngine } from '../../../harness/bench/engines/own-engine';
import { ChildAbsentError } from '../../../harness/base/process/index';
import { serveEngine } from '../../../harness/bench/process/engine-server';

/** The scratch network as an engine that misbehaves in the way that its one argument names. */
class FakeEngine extends OwnEngine {
  private openings = 0;

  constructor(private readonly way: string) {
    super({
      versions: { fake: '1' },
      classifier: (options) => new ScratchSimpleRNNClassifier(options),
      network: (options) => new ScratchNetwork(options),
    });
  }

  override open(problem: Parameters<OwnEngine['open']>[0]): void {
    this.openings++;
    super.open(problem);
  }

  override trainStep(): number {
    // The third opening is the one after the parity check: from then on steps are timed.
    if (this.openings >= 3 && this.way === 'dies') {
      process.stderr.write('out of luck\n');
      process.exit(7);
    }
    if (this.openings >= 3 && this.way === 'hangs') for (;;);
    return super.trainStep();
  }

  override weights(): StackWeights {
    const weights = super.weights();
    if (this.way !== 'wrong') return weights;
    const [{ recurrentKernel, ...others }, output] = weights;
    const data = recurrentKernel.data.map((x, i) => (i === 3 ? x + 0.001 : x));
    return [{ ...others, recurrentKernel: { ...recurrentKernel, data } }, output];
  }
}

const [way] = process.argv.slice(2);
if (way === 'noisy') process.stdout.write('hello from a library\n{"not": "an answer"}\n');

void serveEngine(
  () =>
    way === 'absent'
      ? Promise.reject(new ChildAbsentError('it is not there'))
      : Promise.resolve(new FakeEngine(way)),
  process.stdin,
  process.stdout,
).then(() => process.exit());
