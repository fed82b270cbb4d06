import { within, type Equation } from './expression';
import { losses } from './losses/index';
import { isRecurrent, type Network } from './network';
import { partText } from './parse';
import { inWords, shareInWords } from './words';

/**
 * The equation of a tensor or quantity, by its name in an answer or in `judgeSteps`, followed by those of the quantities in it that no
 * side shows: `h_t = tanh(z_t), z_t = x_t · kernel + h_(t-1) · recurrentKernel + bias`.
 */
export function formulaOf(network: Network, name: string): string {
  const { head } = network;
  const fixed: Readonly<Record<string, string>> = {
    logits: `y = ${head?.on === 'steps' ? 'state of the step' : 'last state'} · kernel + bias`,
    outputs: losses[head?.loss ?? 'softmax'].words,
    loss: losses[head?.loss ?? 'softmax'].words,
    'gradients.head.kernel': 'sum of stateᵀ · dy',
    'gradients.head.bias': 'sum of dy',
    'gradients.inputs': 'dx_t, what every layer that reads x_t sends back',
  };
  if (name in fixed) return fixed[name];
  const [group, named, own] = name.split('.');
  const isAnswer = ['states', 'final', 'gradients'].includes(group);
  const layer = network.layers.find((one) => one.name === (isAnswer ? named : group));
  if (layer === undefined) return name;
  if (!isRecurrent(layer)) return `${layer.merge} of ${layer.of.join(' and ')}`;
  const { cell } = layer;
  if (group === 'final') return `${own} after the last step`;
  if (group === 'gradients')
    return own === 'initial'
      ? 'what the first step sends back'
      : cell.backward.shares
          .filter(({ weight }) => weight === own)
          .map(shareInWords)
          .join(', ');
  const wanted = group === 'states' ? cell.carries[0] : named;
  const all = [...cell.equations, ...cell.backward.equations];
  const made = all.filter((one) => wanted === one.left || wanted === one.left + partText(one.part));
  return unfolded(made, all, new Set([cell.carries[0]]));
}

/** Equations, and after them those of the quantities that they are made of. */
function unfolded(made: readonly Equation[], all: readonly Equation[], shown: ReadonlySet<string>): string {
  const known = new Set(shown);
  const lines: string[] = [];
  let next = made;
  while (next.length > 0) {
    const used = next.flatMap(({ left, part, right }) => {
      known.add(left + partText(part));
      lines.push(
        `${left}_t${partText(part)} = ${inWords(right).replace(/^in_(\w+)_t$/, 'what arrives from above and from step t+1')}`,
      );
      return [...within(right)].filter((one) => one.op === 'quantity' && one.when === 'now');
    });
    next = all.filter(
      ({ left, part }) =>
        !known.has(left) &&
        !known.has(left + partText(part)) &&
        used.some(
          (one) =>
            one.op === 'quantity' &&
            one.name === left &&
            (one.part === undefined || part === undefined || one.part.some((block) => part.includes(block))),
        ),
    );
  }
  return lines.join(', ');
}
