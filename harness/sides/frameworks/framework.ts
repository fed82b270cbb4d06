import path from 'node:path';
import type { Tensor } from '../../../scratch/index';
import type { FrameworkName } from '../../base/framework-names';
import {
  ChildFailure,
  decodeTensor,
  encodeTensor,
  findPython,
  ChildLink,
  mapRecord,
  pythonEnvironment,
  type WireTensor,
} from '../../base/process/index';
import { SideUnavailableError } from '../../base/side-errors';
import type { FrameworkAnswer, FrameworkOperations, FrameworkQuestion } from './protocol';

/** The framework does not have something that the model needs, or it failed; the message says what. */
export class FrameworkRefusal extends Error {
  override readonly name = 'FrameworkRefusal';
  constructor(failure: Pick<ChildFailure, 'message'> & Partial<ChildFailure>) {
    super(failure.message, { cause: failure });
    this.refused = failure.refused ?? false;
    this.gone = failure.gone ?? false;
  }
  /** it works, and does not have what was asked for */ readonly refused: boolean;
  /** its process is gone */ readonly gone: boolean;
}

export interface FrameworkOptions {
  /** the interpreter; default python3 or python of the PATH */ readonly python?: string | undefined;
  /** time limit of each answer; default 180: importing TensorFlow from a cold disk takes a while */ readonly timeoutSeconds?:
    number | undefined;
}

const usualSeconds = 180;

/** What JavaScript holds as one text is a little more. */
const mostCharacters = 500e6;

/** A framework in a process of its own. */
export class Framework {
  private constructor(
    readonly version: string,
    private readonly name: FrameworkName,
    private readonly milliseconds: number,
    private readonly child: ChildLink<FrameworkOperations>,
  ) {}

  /**
   * @throws SideUnavailableError when there is no Python, or the library is not installed in it; UsageError when the one asked for does not run
   */
  static async start(
    name: FrameworkName,
    { python, timeoutSeconds = usualSeconds }: FrameworkOptions = {},
  ): Promise<Framework> {
    const command = await findPython(python);
    if (command === undefined)
      throw new SideUnavailableError(
        'no Python 3.8 or later is on the PATH; give one in which it is installed with --python PATH',
      );
    const script = path.join(__dirname, '..', 'python', 'serve.py');
    const child = new ChildLink<FrameworkOperations>({
      command,
      args: [script, name],
      env: pythonEnvironment,
    });
    const milliseconds = timeoutSeconds * 1000;
    try {
      const { version } = await child.request('start', {}, milliseconds);
      return new Framework(version, name, milliseconds, child);
    } catch (error) {
      await child.stop();
      if (error instanceof ChildFailure) throw new SideUnavailableError(error.message, { cause: error });
      throw error;
    }
  }

  /**
   * Every layer of a model, forward and, with `loss` or `upstream`, backward.
   *
   * @throws FrameworkRefusal when the framework does not have a layer or an option, when it fails, or when the numbers are too many to travel
   */
  async run(question: FrameworkQuestion<Tensor>): Promise<FrameworkAnswer<Tensor>> {
    const characters = charactersIn(question);
    if (characters > mostCharacters) {
      const megabytes = (n: number): string => `${(n * 0.75e-6).toFixed(0)} MB`;
      throw new FrameworkRefusal({
        message: `the weights and inputs are ${megabytes(characters)}, and at most ${megabytes(mostCharacters)} travel to the process of ${this.name}; check a part of the model (--until LAYER), or leave this side out (--sides)`,
        refused: true,
      });
    }
    try {
      const wire = { question: encoded(question) as FrameworkQuestion<WireTensor> };
      return decoded(await this.child.request('run', wire, this.milliseconds)) as FrameworkAnswer<Tensor>;
    } catch (error) {
      if (error instanceof ChildFailure) throw new FrameworkRefusal(error);
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

const isTensor = (value: object): value is Tensor => 'data' in value && value.data instanceof Float64Array;

/** How long the line becomes, nearly: base64 has 4 characters for 3 bytes. */
function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (isTensor(value)) return (value.data.length * 16) / 3;
  return Object.values(value as Readonly<Record<string, unknown>>).reduce<number>(
    (sum, one) => sum + charactersIn(one),
    0,
  );
}

/** Tensors at any depth, as they travel. */
function encoded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(encoded);
  return isTensor(value)
    ? encodeTensor(value)
    : mapRecord(value as Readonly<Record<string, unknown>>, encoded);
}

/** Tensors at any depth, as they are used here. */
function decoded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decoded);
  if ('float32' in value) return decodeTensor(value as WireTensor);
  return mapRecord(value as Readonly<Record<string, unknown>>, decoded);
}
