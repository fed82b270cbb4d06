import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScratchNetwork } from '../../../scratch/network';
import { Stack } from '../../../scratch/stack';
import type { LayerConfig } from '../../../scratch/layer-config';
import type { LossName } from '../../../scratch/losses';
import type { NestedArray, Tensor } from '../../../scratch/index';
import { scaledDifference } from '../../support/layer-problem';

// What PyTorch and Keras compute in float64 (test/fixtures/cells/make.py), for every cell and option.
interface Flat {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Weights = Readonly<Record<string, Flat>>;
interface Case {
  readonly by: string;
  readonly layers: readonly LayerConfig[];
  readonly given: {
    readonly inputs: Flat;
    readonly initialStates: readonly (readonly Flat[])[];
    readonly weights: readonly Weights[];
    readonly mask?: Flat;
  };
  readonly upstream?: { readonly outputs: Flat; readonly finalStates: readonly (readonly Flat[])[] };
  readonly loss?: LossName;
  readonly targets?: NestedArray;
  readonly expected: {
    readonly outputs: Flat;
    readonly finalStates: readonly (readonly Flat[])[];
    readonly loss?: number;
    readonly gradients: {
      readonly weights: readonly Weights[];
      readonly initialStates: readonly (readonly Flat[])[];
      readonly inputs?: Flat;
    };
  };
}
const file = join(__dirname, '..', '..', 'fixtures', 'cells', 'vectors.json');
const { madeBy, cases } = JSON.parse(readFileSync(file, 'utf8')) as { madeBy: string; cases: Case[] };

/** Every named tensor that a case expects, with its values, masked steps of the outputs left out. */
type Named = Map<string, readonly number[]>;

function flattened(answer: Case['expected'], mask: Flat | undefined): Named {
  const named: Named = new Map();
  const rows = answer.outputs.shape[0] * (answer.outputs.shape.length === 3 ? answer.outputs.shape[1] : 1);
  const width = answer.outputs.data.length / rows;
  const exists = (row: number) => mask === undefined || rows !== mask.data.length || mask.data[row] === 1;
  named.set(
    'outputs',
    Array.from(answer.outputs.data).filter((_, i) => exists(Math.floor(i / width))),
  );
  const states = (name: string, all: readonly (readonly Flat[])[]) =>
    all.forEach((layer, i) => layer.forEach(({ data }, k) => named.set(`${name}[${i}][${k}]`, data)));
  states('finalStates', answer.finalStates);
  states('gradient of initialStates', answer.gradients.initialStates);
  answer.gradients.weights.forEach((layer, i) =>
    Object.entries(layer).forEach(([key, { data }]) => named.set(`gradient of ${key}[${i}]`, data)),
  );
  if (answer.gradients.inputs) named.set('gradient of inputs', answer.gradients.inputs.data);
  if (answer.loss !== undefined) named.set('loss', [answer.loss]);
  return named;
}

function answerOf({ layers, given, upstream, loss, targets }: Case): Named {
  const { inputs, initialStates, weights, mask } = given;
  const config = {
    layers,
    weights,
    ...(layers[0].layer !== 'embedding' && { features: inputs.shape[2] }),
  };
  const options = { initialStates, ...(mask && { mask }) };
  const plain = (tensor: Tensor): Flat => ({ shape: tensor.shape, data: Array.from(tensor.data) });
  const plainStates = (states: readonly (readonly Tensor[])[]) => states.map((layer) => layer.map(plain));
  const stack = new Stack(config);
  const { outputs, finalStates, cache } = stack.forward(inputs, options);
  const network = loss && new ScratchNetwork({ ...config, loss }).lossAndGradients(inputs, targets!, options);
  const gradients = network?.gradients ?? stack.backward(cache, upstream!);
  return flattened(
    {
      outputs: plain(outputs),
      finalStates: plainStates(finalStates),
      ...(network && { loss: network.loss }),
      gradients: {
        weights: gradients.weights.map((layer) =>
          Object.fromEntries(Object.entries(layer).map(([key, tensor]) => [key, plain(tensor)])),
        ),
        initialStates: plainStates(gradients.initialStates),
        ...(gradients.inputs && { inputs: plain(gradients.inputs) }),
      },
    },
    mask,
  );
}

/** The names of what differs by more than the roundings of sums of some dozens of terms. */
function differing(found: Named, expected: Named): string[] {
  expect([...found.keys()]).to.have.members([...expected.keys()]);
  return [...expected]
    .filter(([key, data]) => !(scaledDifference(found.get(key)!, data) <= 2e-14))
    .map(([key]) => key);
}

describe(`scratch layers against ${madeBy}, float64`, () => {
  const title = ({ by, layers, given, loss }: Case) =>
    `${by}: ${JSON.stringify(layers)}${given.mask ? ', masked' : ''}${loss ? `, ${loss}` : ''}`;

  for (const example of cases) {
    it(title(example), () => {
      const found = answerOf(example);
      const expected = flattened(example.expected, example.given.mask);
      expect(differing(found, expected)).to.deep.equal([]);
      // each expected tensor damaged once, by one part in a million of one number, must be noticed
      for (const [name, data] of expected) {
        const largest = data.reduce((best, x, i) => (Math.abs(x) > Math.abs(data[best]) ? i : best), 0);
        if (data[largest] === 0) continue;
        const damaged = new Map(expected).set(
          name,
          data.map((x, i) => (i === largest ? x * (1 + 1e-6) : x)),
        );
        expect(differing(found, damaged), `damaged ${name}`).to.deep.equal([name]);
      }
    });
  }

  it('covers every layer, activation and loss, masks, both directions and every option', () => {
    const seen = JSON.stringify(cases);
    const words = [
      'simpleRNN lstm gru bidirectional dense embedding relu linear hardSigmoid" hardSigmoidKeras3',
      '"activation":"sigmoid" "goBackwards":true "useBias":false "resetAfter":false "mask"',
      '"mergeMode":"concat" "mergeMode":"sum" "mergeMode":"mul" "mergeMode":"ave"',
      'softmaxCrossEntropy sigmoidCrossEntropy meanSquaredError',
    ];
    for (const word of words.join(' ').split(' ')) {
      expect(seen, word).to.include(word);
    }
  });
});
