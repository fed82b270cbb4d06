import { createRequire } from 'node:module';
import path from 'node:path';
import { ChildAbsentError } from '../../base/process/index';
import { describeNetwork, toOnnx } from '../../models/index';
import { repeatExamples, type BenchEngine, type EngineProblem, type Scores } from '../process/engine';
import { networkOf } from '../size';

/** The part of onnxruntime-node that is used here; the package is never a dependency. */
interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array): Promise<OnnxSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OnnxTensor;
}
interface OnnxTensor {
  readonly data: Float32Array;
}
interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

/**
 * Finds onnxruntime-node from the working directory, then from this package.
 *
 * @throws ChildAbsentError when it is in neither place or does not load
 */
export function loadOnnxRuntime(): OnnxRuntimeEngine {
  for (const from of [path.resolve('package.json'), __filename]) {
    const require = createRequire(from);
    try {
      const { version } = require('onnxruntime-node/package.json') as { version: string };
      return new OnnxRuntimeEngine(require('onnxruntime-node') as OnnxRuntime, version);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') continue;
      throw new ChildAbsentError(`onnxruntime-node does not load: ${String(error)}`);
    }
  }
  throw new ChildAbsentError(
    'onnxruntime-node is not installed; add it with: npm install --no-save --ignore-scripts onnxruntime-node',
  );
}

/** ONNX Runtime with its own recurrent operators, on the file that `convert --to onnx` writes of the network; it only infers. */
class OnnxRuntimeEngine implements BenchEngine {
  readonly tasks = ['forward1', 'forward256'] as const;
  readonly scores = 'logits';
  readonly versions: Readonly<Record<string, string>>;
  private session: OnnxSession | undefined;
  private questions!: Readonly<Record<1 | 256, OnnxTensor>>;

  constructor(
    private readonly runtime: OnnxRuntime,
    version: string,
  ) {
    this.versions = { 'onnxruntime-node': version };
  }

  async open(problem: EngineProblem): Promise<void> {
    await this.session?.release();
    const { size, weights } = problem;
    // with this loss the outputs are the logits
    const config = { ...networkOf(size), loss: 'meanSquaredError' } as const;
    const bytes = toOnnx(describeNetwork({ config, weights }));
    this.session = await this.runtime.InferenceSession.create(bytes);
    const question = (count: number) =>
      new this.runtime.Tensor('float32', repeatExamples(problem, count), [
        count,
        size.timeSteps,
        size.features,
      ]);
    this.questions = { 1: question(1), 256: question(256) };
  }

  async forward(examples: 1 | 256): Promise<Scores> {
    if (this.session === undefined) throw new Error('No problem is open; call open first.');
    const { inputNames, outputNames } = this.session;
    const answer = await this.session.run({ [inputNames[0]]: this.questions[examples] });
    return answer[outputNames[0]].data;
  }

  readonly trainStep = cannot;
  readonly epoch = cannot;
  readonly setUp = cannot;
  readonly weights = cannot;
}

function cannot(): never {
  throw new Error('OnnxRuntimeEngine only infers; ask it for forward1 and forward256.');
}
