import { InvalidArgumentError, Option } from 'commander';
import type { OptimizerConfig } from '../../scratch/index';
import { frameworkNames, isFrameworkName } from '../base/framework-names';
import type { Flag, FlagsOf, Given } from './command';
import type { JsonFlag } from './outputs';

/*
 * What several commands take: parsers of values, and options with their texts. A value that a parser refuses is reported by commander
 * with the option's name, exit code 2.
 */

const wrong = (expected: string): InvalidArgumentError =>
  new InvalidArgumentError(`${expected} was expected.`);

/** A whole number of at least `least`, at most 2^31. */
export function whole(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text.trim()) && value >= least && value <= 2 ** 31) return value;
    throw wrong(`a whole number from ${least} to 2147483648`);
  };
}

/** A finite number within bounds, both included. */
export function number(least = -Infinity, most = Infinity): (text: string) => number {
  const bounds =
    least === -Infinity ? '' : most === Infinity ? ` of ${least} or more` : ` from ${least} to ${most}`;
  return (text) => {
    // Number also reads 0x10 and 0b1, as 16 and 1
    const isDecimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim());
    const value = Number(text);
    if (isDecimal && Number.isFinite(value) && value >= least && value <= most) return value;
    throw wrong(`a number${bounds}`);
  };
}

/** An optimizer and its settings, which `resolveOptimizer` checks: `adam`, `sgd:learningRate=0.1:momentum=0.9:nesterov=true`. */
export function optimizer(text: string): OptimizerConfig {
  const [name, ...settings] = text.split(':').map((part) => part.trim());
  const entries = settings.map((setting): [string, unknown] => {
    const [key, value = ''] = setting.split(/=(.*)/s);
    return [
      key,
      value === 'true' || value === 'false' ? value === 'true' : key === 'form' ? value : number()(value),
    ];
  });
  const twice = entries.find(([key], i) => entries.findIndex(([other]) => other === key) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice[0]} is given twice; keep one of them.`);
  return { name, ...Object.fromEntries(entries) } as OptimizerConfig;
}

const seconds = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** A time span in seconds, at least `least`: `30s`, `1.5m`, `100ms`; without a unit it is in `unit`, or refused where that is ''. */
export function duration(least = 0, unit: '' | keyof typeof seconds = 's'): (text: string) => number {
  return (text) => {
    const [, count, given] = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text.trim()) ?? [];
    const value = Number(count) * seconds[(given || unit) as keyof typeof seconds];
    if (value >= least && value <= 7 * 86_400) return value;
    throw wrong(`a number with ms, s, m or h, for example 60s${least > 0 ? `, at least ${least}s,` : ''}`);
  };
}

/** Texts with commas between. */
export const list = (text: string): string[] => text.split(',').map((part) => part.trim());

/** An option whose value has a type of its own. */
export const typed =
  <T>() =>
  (flags: string, description: string): Flag<T> =>
    new Option(flags, description);

/** An option with a value: `--out <dir>`. */
export const text = typed<string | undefined>();
/** One with several: `--vectors <files...>`. */
export const texts = typed<string[] | undefined>();
/** One without a value. */
export const yes = typed<true | undefined>();
/** One without a value that switches off what is on: `--no-labels`. */
export const no = typed<boolean>();

/** An option whose value is one of a few words. */
export const choice = <const C extends string>(
  flags: string,
  description: string,
  choices: readonly C[],
): Flag<C | undefined> => new Option(flags, description).choices(choices);

/** An option whose value is parsed. */
export const option = <T>(
  flags: string,
  description: string,
  parse: (text: string) => T,
): Flag<T | undefined> => new Option(flags, description).argParser(parse);

/** An option that may be given again, with one value each time. */
export const repeatable = (flags: string, description: string): Flag<readonly string[]> =>
  new Option(flags, description)
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([]);

export const backendNames = ['tensorflow', 'wasm', 'cpu'] as const;
const sideList =
  'tensorflow, wasm, cpu, graph, tensorflow:bptt, wasm:bptt, cpu:bptt; browser:webgl, browser:webgpu, ... in Chromium';

/** `--backends`, the sides that a command runs; `what` says what is done on them. */
export const backendsFlag = (what: string, more = ''): Flag<string | undefined> =>
  text('--backends <list>', `${what}, and each must run: ${sideList}${more} (default: all that load)`);

/** `--python`, the interpreter of other programs; `when` says for what. */
export const pythonFlag = (when: string): Flag<string | undefined> =>
  text('--python <path>', `${when}: the Python in which they are installed (default: python3 on the PATH)`);

/** `--backends` of commands that run other programs as well, and `--python` for these. */
export const backendsFlags = (what: string) => ({
  backends: backendsFlag(what, '; keras, torch, onnxruntime (see --python)'),
  python: pythonFlag('with --backends keras, torch, onnxruntime'),
});

/** `--timeout` of commands that ask other programs about a whole model. */
export const frameworkTimeout = (): Flag<number | undefined> =>
  option(
    '--timeout <duration>',
    'time limit of Keras, PyTorch and onnxruntime for each answer (default: 180s)',
    duration(0.001),
  );

/** Refuses --python, or other options of the programs that run in it, where no side runs in it. */
export function refuseIdlePython<Name extends string>(
  { refuseIdle }: Given<Name>,
  flag: string,
  sides: string | readonly string[] = '',
  ...idle: readonly Name[]
): void {
  const names = typeof sides === 'string' ? list(sides) : sides;
  if (!names.some(isFrameworkName)) refuseIdle(`without ${frameworkNames.join(', ')} in ${flag}`, ...idle);
}

/** `--candidate` and its `--timeout`, in seconds. */
export const candidateFlags = {
  candidate: text(
    '--candidate <module>',
    'run your own implementation (TypeScript, JavaScript) instead of the twin',
  ),
  timeout: option(
    '--timeout <duration>',
    'time limit of a candidate for each problem',
    duration(0.001),
  ).default(30, '30s'),
};

export const jsonFlag = (what: string): Flag<JsonFlag> =>
  new Option('--json [file]', `${what} as JSON, to a file or (without one, or with -) to stdout`);

export const seedFlag = (what: string): Flag<number> => option('--seed <n>', what, whole(0)).default(1);

export const onlyFlag = (what: string): Flag<string | undefined> =>
  text('--only <pattern>', `${what} contains this text; * and ? are wildcards`);

export const exitText =
  'Exit codes: 0 parity, 1 mismatch, 2 usage or harness error, 3 a required backend did not run';

/** `--layout`, of weights of other programs. */
export const layoutFlag = () =>
  choice('--layout <name>', 'the program whose names and layout the weights have', [
    'notebook',
    'pytorch',
    'keras',
    'rnn-parity',
  ]);

/** The files that openModelFile reads. */
export const modelFileText =
  'model.json or its folder (TensorFlow.js), .keras or .h5 (Keras), .safetensors or .npz (PyTorch state_dict), .onnx';

/** What a state_dict does not say, of commands that read one. */
export const stateFlags = {
  nonlinearity: choice(
    '--nonlinearity <name>',
    'of nn.RNN, which a state_dict does not say (default: tanh)',
    ['tanh', 'relu'],
  ),
  steps: choice(
    '--steps <which>',
    'what the module after a recurrent one reads, which a state_dict does not say: final states, last row of the outputs, all steps (default: final)',
    ['final', 'last', 'all'],
  ),
};
export type StateFlags = FlagsOf<typeof stateFlags>;
