import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs';
import { isRecurrent, type Network, type NetworkProblem } from '../../../harness/equations/network';
import type { Tensor } from '../../../scratch/index';
import type { LoadedBackend } from '../../../src/index';

/** How a layer of TensorFlow.js is made; `gru-reset-after`, which it refuses, is written with its operations. */
export interface TfjsCell {
  readonly kind: 'simple-rnn' | 'lstm' | 'gru' | 'gru-reset-after';
  readonly recurrentActivation?: 'sigmoid' | 'hardSigmoid';
}

/** A variable of TensorFlow.js, which its gradients are named after. */
type Named = TfTensor & { readonly name: string };

/** One recurrent layer and its dense layer, by TensorFlow.js and its automatic differentiation: an answer as runNetwork's is. */
export function tfjsAnswer(
  { tf }: LoadedBackend,
  { kind, recurrentActivation = 'sigmoid' }: TfjsCell,
  network: Network,
  problem: NetworkProblem,
): Map<string, Tensor> {
  const [layer] = network.layers;
  if (!isRecurrent(layer)) throw new Error('tfjsAnswer: one recurrent layer');
  const { units } = layer;
  const { carries } = layer.cell;
  const [batch] = problem.inputs.shape;
  const answer = new Map<string, Tensor>();
  tf.tidy(() => {
    const variables = new Map<string, Named>();
    const variable = (name: string, { data, shape }: Tensor): Variable => {
      const made = tf.variable(tf.tensor(Float32Array.from(data), [...shape]));
      variables.set(name, made);
      return made;
    };
    const inputs = variable('inputs', problem.inputs);
    const starts = carries.map((carry) =>
      variable(
        `rnn.initial.${carry}`,
        problem.initialStates?.['rnn']?.[carry] ?? {
          data: new Float64Array(batch * units),
          shape: [batch, units],
        },
      ),
    );
    const own = problem.weights['rnn'];
    let walk: () => TfTensor[];
    if (kind === 'gru-reset-after') {
      const weights = Object.fromEntries(
        Object.entries(own).map(([name, one]) => [name, variable(`rnn.${name}`, one)]),
      );
      walk = () => resetAfter(weights, inputs, starts[0], units);
    } else {
      const zeros = {
        kernelInitializer: 'zeros',
        recurrentInitializer: 'zeros',
        biasInitializer: 'zeros',
      } as const;
      const options = { units, returnSequences: true, returnState: true, ...zeros };
      const rnn =
        kind === 'simple-rnn'
          ? tf.layers.simpleRNN(options)
          : kind === 'lstm'
            ? tf.layers.lstm({ ...options, recurrentActivation })
            : tf.layers.gru({ ...options, recurrentActivation });
      rnn.apply(tf.zeros([1, 2, problem.inputs.shape[2]]));
      const names = ['kernel', 'recurrentKernel', 'bias'];
      rnn.setWeights(names.map((name) => tf.tensor(Float32Array.from(own[name].data), [...own[name].shape])));
      names.forEach((name, i) => variables.set(`rnn.${name}`, rnn.trainableWeights[i].read() as Named));
      const mask =
        problem.mask && tf.tensor2d(Float32Array.from(problem.mask.data), [batch, problem.mask.shape[1]]);
      walk = () => rnn.apply(inputs, { initialState: starts, ...(mask && { mask }) }) as TfTensor[];
    }
    const { head } = network;
    const dense = head && {
      kernel: variable('head.kernel', problem.weights['head']['kernel']),
      bias: variable('head.bias', problem.weights['head']['bias']),
    };
    const keep = (name: string, value: TfTensor): void => {
      answer.set(name, { data: Float64Array.from(value.dataSync()), shape: value.shape });
    };
    const { grads, value } = tf.variableGrads(
      () => {
        const [sequence, ...final] = walk();
        keep('states.rnn', sequence);
        carries.forEach((carry, i) => keep(`final.rnn.${carry}`, final[i]));
        let total = tf.scalar(0);
        if (dense !== undefined) {
          const logits = tf.add(tf.matMul(final[0] as never, dense.kernel as never), dense.bias);
          keep('logits', logits);
          keep('outputs', tf.softmax(logits));
          const { labels } = problem;
          if (labels !== undefined) {
            const target = tf.oneHot(tf.tensor1d([...labels], 'int32'), dense.bias.shape[0]);
            const loss = tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(logits)), -1)));
            keep('loss', loss);
            total = tf.add(total, loss);
          }
        }
        const { sequence: above, final: last = {} } = problem.upstream?.['rnn'] ?? {};
        const weigh = (one: TfTensor, by: Tensor | undefined): void => {
          if (by !== undefined)
            total = tf.add(total, tf.sum(tf.mul(one, tf.tensor(Float32Array.from(by.data), [...by.shape]))));
        };
        weigh(sequence, above);
        carries.forEach((carry, i) => weigh(final[i], last[carry]));
        return total;
      },
      [...variables.values()] as Variable[],
    );
    value.dispose();
    for (const [name, { name: own }] of variables) if (own in grads) keep(`gradients.${name}`, grads[own]);
    for (const one of variables.values()) one.dispose();

    function resetAfter(w: Record<string, Variable>, x: TfTensor, start: TfTensor, n: number): TfTensor[] {
      const part = (of: TfTensor, block: number): TfTensor => tf.slice(of, [0, block * n], [-1, n]);
      let h = start;
      const states: TfTensor[] = [];
      const mask =
        problem.mask && tf.tensor2d(Float32Array.from(problem.mask.data), [batch, problem.mask.shape[1]]);
      for (let t = 0; t < x.shape[1]!; t++) {
        const before = h;
        const step = tf.reshape(tf.slice(x, [0, t, 0], [-1, 1, -1]), [batch, -1]);
        const a = tf.add(tf.matMul(step as never, w['kernel'] as never), w['bias']);
        const q = tf.add(tf.matMul(h as never, w['recurrentKernel'] as never), w['recurrentBias']);
        const z = tf.sigmoid(tf.add(part(a, 0), part(q, 0)));
        const r = tf.sigmoid(tf.add(part(a, 1), part(q, 1)));
        const c = tf.tanh(tf.add(part(a, 2), tf.mul(r, part(q, 2))));
        h = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), c));
        if (mask) h = tf.where(tf.cast(tf.slice(mask, [0, t], [-1, 1]), 'bool'), h, before);
        states.push(h);
      }
      return [tf.stack(states, 1), h];
    }
  });
  return answer;
}
