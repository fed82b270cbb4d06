import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  LayerConfig,
  LayersNetwork,
  LossName,
  NestedArray,
  NetworkOptions,
  Tensor,
} from '../../scratch/index';

// What PyTorch and Keras compute in float64 (test/fixtures/cells/make.py), for every cell and option.
export interface Flat {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Weights = Readonly<Record<string, Flat>>;
export interface Case {
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
const file = join(__dirname, '..', 'fixtures', 'cells', 'vectors.json');
export const { madeBy, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  madeBy: string;
  cases: Case[];
};

/** Every named tensor that a case expects, with its values, masked steps of the outputs left out. */
export type Named = Map<string, readonly number[]>;

export function flattened(answer: Case['expected'], mask: Flat | undefined): Named {
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

/** A network's answer to a case. */
export function answerTo(
  { layers, given, upstream, loss, targets }: Case,
  create: (options: NetworkOptions) => LayersNetwork,
): Named {
  const { inputs, initialStates, weights, mask } = given;
  const network = create({
    layers,
    weights,
    // without a loss nothing depends on its name
    loss: loss ?? 'meanSquaredError',
    ...(layers[0].layer !== 'embedding' && { features: inputs.shape[2] }),
  });
  const answer = network.run(inputs, {
    initialStates,
    ...(mask && { mask }),
    ...(targets && { targets: targets as number[] }),
    ...(upstream && { upstream: { logits: upstream.outputs, finalStates: upstream.finalStates } }),
  });
  network.dispose();
  const { logits, finalStates, gradients } = answer;
  const plain = (tensor: Tensor): Flat => ({ shape: tensor.shape, data: Array.from(tensor.data) });
  const plainStates = (states: readonly (readonly Tensor[])[]) => states.map((layer) => layer.map(plain));
  return flattened(
    {
      outputs: plain(logits),
      finalStates: plainStates(finalStates),
      ...(answer.loss !== undefined && { loss: answer.loss }),
      gradients: {
        weights: gradients!.weights.map((layer) =>
          Object.fromEntries(Object.entries(layer).map(([key, tensor]) => [key, plain(tensor)])),
        ),
        initialStates: plainStates(gradients!.initialStates),
        ...(gradients!.inputs && { inputs: plain(gradients!.inputs) }),
      },
    },
    mask,
  );
}

/** The case in a few words. */
export function titleOf({ by, layers, given, loss }: Case): string {
  return `${by}: ${JSON.stringify(layers)}${given.mask ? ', masked' : ''}${loss ? `, ${loss}` : ''}`;
}
