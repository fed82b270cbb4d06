import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { ModelInputs } from '../../harness/check/reference';
import { numbersOf, readNpz } from '../../harness/base/files/index';
import type { ModelDescription, OpenOptions } from '../../harness/models/index';
import type { Tensor } from '../../scratch/index';

/** Small models that other programs made; test/fixtures/models/make has these programs. */
export const modelFixtures = path.join(__dirname, '..', 'fixtures', 'models');

export function fixtureFiles(extension: string): string[] {
  return readdirSync(modelFixtures).filter((file) => file.endsWith(extension));
}

/** A model file, the archive with its answers, and how it is opened. */
interface Fixture {
  readonly file: string;
  /** in the archive */ readonly name: string;
  readonly archive: string;
  readonly options: OpenOptions;
}

/** What a state_dict does not say of these models. */
const stateOptions: Readonly<Record<string, OpenOptions>> = {
  'torch-rnn-relu': { nonlinearity: 'relu' },
  'torch-lstm-both-last': { steps: 'last' },
  'torch-gru-all': { steps: 'all' },
  'torch-batch-norm': { steps: 'all' },
};

/** Every model of the folder. */
export function allFixtures(): Fixture[] {
  return ['.keras', '.h5', '.state.npz', '.safetensors', '.onnx'].flatMap(fixtureFiles).map((file) => {
    const name = file.replace(/(\.state)?\.\w+$/, '');
    const archive = name.startsWith('torch-')
      ? 'pytorch.npz'
      : name.startsWith('made-')
        ? 'onnx.npz'
        : name.startsWith('config-')
          ? 'configurations.npz'
          : 'keras.npz';
    // an .onnx of the same model says it all
    const options = file.endsWith('.onnx') ? {} : (stateOptions[name] ?? {});
    return { file, name, archive, options };
  });
}

/** Inputs and outputs of a model, as the program that made it computed them in float64. */
export interface FixtureAnswer {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** All answers of an archive, by the model's name: `lstm/inputs/0`, `lstm/outputs/0`. */
export async function fixtureAnswers(archive: string): Promise<ReadonlyMap<string, FixtureAnswer>> {
  const arrays = await readNpz(path.join(modelFixtures, archive));
  const answers = new Map<string, { inputs: Tensor[]; outputs: Tensor[] }>();
  for (const [key, { shape }] of arrays) {
    const [name, kind, index] = key.split('/');
    const answer = answers.get(name) ?? { inputs: [], outputs: [] };
    answers.set(name, answer);
    answer[kind as 'inputs' | 'outputs'][Number(index)] = numbersOf(arrays, key, shape.length, archive);
  }
  return answers;
}

/** Inputs by name, in the order of the file. */
export function namedInputs(model: ModelDescription, inputs: readonly Tensor[]): ModelInputs {
  return Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]]));
}
