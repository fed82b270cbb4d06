import path from 'node:path';
import type { Tensor } from '../../../scratch/index';
import {
  ChildFailure,
  decodeTensor,
  encodeTensor,
  findPython,
  LineProcess,
  mapRecord,
  pythonEnvironment,
  type WireTensor,
} from '../../base/process/index';
import { SideUnavailableError } from '../../base/side-errors';
import type { FrameworkAnswer, FrameworkOperations, FrameworkQuestion } from './protocol';

/** Programs that run in a Python of the user. */
export const frameworkNames = ['keras', 'torch', 'onnxruntime'] as const;
export type FrameworkName = (typeof frameworkNames)[number];

/** The framework does not have something that the model needs; the message says what. */
export class FrameworkRefusal extends Error {
  override readonly name = 'FrameworkRefusal';
}

/** importing TensorFlow from a cold disk takes a while */
const milliseconds = 180_000;

/** A framework in a process of its own. */
export class Framework {
  private constructor(
    readonly version: string,
    private readonly child: LineProcess<FrameworkOperations>,
  ) {}

  /**
   * @param python the interpreter; default python3 or python of the PATH
   * @throws SideUnavailableError when there is no Python, or the library is not installed in it; UsageError when the one asked for does not run
   */
  static async start(name: FrameworkName, python?: string): Promise<Framework> {
    const command = await findPython(python);
    if (command === undefined)
      throw new SideUnavailableError(
        'no Python 3.8 or later is on the PATH; give one in which it is installed with --python PATH',
      );
    const script = path.join(__dirname, '..', 'python', 'serve.py');
    const child = new LineProcess<FrameworkOperations>({
      command,
      args: [script, name],
      env: pythonEnvironment,
    });
    try {
      const { version } = await child.request('start', {}, milliseconds);
      return new Framework(version, child);
    } catch (error) {
      await child.stop();
      if (error instanceof ChildFailure) throw new SideUnavailableError(error.message, { cause: error });
      throw error;
    }
  }

  /**
   * Every layer of a model, forward and, with `upstream`, backward.
   *
   * @throws FrameworkRefusal when the framework does not have a layer or an option, or fails
   */
  async run(question: FrameworkQuestion<Tensor>): Promise<FrameworkAnswer<Tensor>> {
    const { layers, inputs, upstream, ...plain } = question;
    try {
      const answer = await this.child.request(
        'run',
        {
          question: {
            ...plain,
            layers: layers.map((layer) => ({ ...layer, weights: mapRecord(layer.weights, encodeTensor) })),
            inputs: mapRecord(inputs, encodeTensor),
            ...(upstream && {
              upstream: upstream.map((one) => ({ ...one, gradient: encodeTensor(one.gradient) })),
            }),
          },
        },
        milliseconds,
      );
      return decoded(answer) as FrameworkAnswer<Tensor>;
    } catch (error) {
      if (error instanceof ChildFailure) throw new FrameworkRefusal(error.message, { cause: error });
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

/** Tensors at any depth, as they are used here. */
function decoded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decoded);
  if ('float32' in value) return decodeTensor(value as WireTensor);
  return mapRecord(value as Readonly<Record<string, unknown>>, decoded);
}
