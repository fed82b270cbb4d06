import {
  asked,
  faultIn,
  formula,
  general,
  gradients,
  inputsFrom,
  layerWeightNames,
  quantity,
  statesFrom,
  together,
  weightNames,
  type Way,
} from './faulty';
import { next, previous, toFloat16 } from './equations/index';
import { importedWeights, isSquare, mapTensor, transposed } from './weights';
import type { Family, Fault } from './fault';
import type { Tensor } from '../../scratch/index';
import type { Phase } from '../base/problem';

/** Time steps that a row may end with; `last` is T - 1. */
const times: Readonly<Record<string, (t: number, last: number) => boolean>> = {
  '': () => true,
  'at t = 0': (t) => t === 0,
  'at t > 0': (t) => t > 0,
  'at t < T - 1': (t, last) => t < last,
};

/** The steps that are read at step t, or none: zeros. */
const readings: Readonly<Record<string, (t: number, last: number) => number | undefined>> = {
  'the step after, or the last': next,
  'the step before, or the first': previous,
  'the step after, or none': (t, last) => (t < last ? t + 1 : undefined),
  'the step before, or none': (t) => (t > 0 ? t - 1 : undefined),
  'the same step, but none at the first': (t) => (t > 0 ? t : undefined),
  'the same step, but none at the last': (t, last) => (t < last ? t : undefined),
  'the last step alone': (t, last) => (t < last ? undefined : t),
  'the steps from the last to the first': (t, last) => last - t,
  'no step': () => undefined,
};

/** How a weight may be imported; none where it cannot be. */
const imports: Readonly<Record<string, (own: Tensor) => Tensor | undefined>> = {
  transposed: (own) => (isSquare(own) ? transposed(own) : undefined),
  'read as if its rows were its columns': ({ data, shape }) =>
    transposed({ data, shape: shape.toReversed() }),
  'read from its last number to its first': ({ data, shape }) => ({ data: data.toReversed(), shape }),
};

const formats: Readonly<Record<string, (x: number) => number>> = { float16: toFloat16, float32: Math.fround };

/**
 * Faults that are one other formula, one a line: name, family, what is wrong, and what is computed instead. That is a formula; or the name that
 * the formulas give the mistake (`rnn-parity trial --layers simpleRNN:4` lists these), of whose faulty networks the last is meant unless it
 * says the first; or what is read, imported or kept otherwise (`ways`); or two of these.
 */
function faultsOf(phase: Phase, text: string): Fault[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, family, words, what] = line.split(' | ').map((part) => part.trim());
      // a float32 side rounds to float32 everywhere
      const more = what.endsWith(' in float32') ? ({ precision: 'float64' } as const) : {};
      return faultIn(family as Family, phase)(name, words, wayOf(what), more);
    });
}

/** What a row may say besides formulas and their names. */
const ways: readonly (readonly [pattern: RegExp, way: (...found: string[]) => Way])[] = [
  [/^(.*) & (.*)$/, (one, other) => together(wayOf(one), wayOf(other))],
  [/^the inputs of (.*)$/, (steps) => inputsFrom(readings[steps])],
  [/^the gradients given for the states of (?!every)(.*)$/, (steps) => statesFrom(readings[steps])],
  [
    /^(\w+) and (\w+) are swapped$/,
    (name, other) =>
      importedWeights(({ [name as 'bias']: one, [other as 'bias']: two }) =>
        one && two && one.shape.join() === two.shape.join() ? { [name]: two, [other]: one } : undefined,
      ),
  ],
  [
    /^(\w+) is (transposed|read .*)$/,
    (name, how) =>
      importedWeights(({ [name as 'bias']: own }) => {
        const made = own && imports[how](own);
        return made && { [name]: made };
      }),
  ],
  [/^(\w+) in (float\d+)$/, (name, format) => keptIn(name, formats[format])],
];

/** A weight, the inputs, a quantity of the step or the gradients of the layer's weights, every number sent through `round`. */
function keptIn(name: string, round: (x: number) => number): Way {
  if (name === 'inputs')
    return asked((problem) => ({ ...problem, inputs: mapTensor(problem.inputs, round) }));
  if (name === 'gradients') return gradients(layerWeightNames, round);
  const weight = weightNames.find((one) => one === name);
  if (weight === undefined) return quantity(name, round);
  return importedWeights(({ [weight]: own }) => own && { [weight]: mapTensor(own, round) });
}

function wayOf(text: string): Way {
  for (const [pattern, way] of ways) {
    const found = pattern.exec(text);
    if (found !== null) return way(...found.slice(1));
  }
  const [, what, first, when = ''] = /^(.*?)(, in its first way)?(?: (at t .*))?$/.exec(text) ?? [];
  const [left, ...right] = what.split(' = ');
  if (right.length > 0) return formula({ [left]: right[0] }, times[when]);
  return general(what, times[when], (first as string | undefined) === undefined ? -1 : 0);
}

/** Mistakes in one formula of the step, or that every network of layers can have. */
export const formulaFaults: readonly Fault[] = [
  ...faultsOf(
    'forward',
    `
    initial-state/ignored | initial-state | the forward pass starts from zeros instead of the given initial state | the initial state h is ignored
    initial-state/of-first-example | initial-state | every example starts from the initial state of the first one | the initial state of the first example is used for all
    steps/state-before-ignored | wrong-time-step | the previous state is ignored: every step is computed from its input alone | z_t: the term h_(t-1) · recurrentKernel is forgotten
    steps/forward-next-input | wrong-time-step | the forward pass reads x_{t+1} instead of x_t (the last step reads its own) | the inputs of the step after, or the last
    steps/forward-previous-input | wrong-time-step | the forward pass reads x_{t-1} instead of x_t (the first step reads its own) | the inputs of the step before, or the first
    steps/sequence-reversed | wrong-time-step | the forward pass reads the sequence from its end to its beginning | the inputs of the steps from the last to the first
    steps/next-input-and-zeros | wrong-time-step | the forward pass reads x_{t+1} instead of x_t, and zeros at the last step | the inputs of the step after, or none
    steps/zeros-and-previous-input | wrong-time-step | the forward pass reads x_{t-1} instead of x_t, and zeros at the first step | the inputs of the step before, or none
    steps/first-input-skipped | wrong-time-step | the forward pass does not see the first input: zeros are read instead | the inputs of the same step, but none at the first
    steps/final-state-is-last-but-one | wrong-time-step | the loop runs one step too few: the final state is h_{T-1} | the final state of rnn is that of the step before the last, in its first way
    weights/kernel-and-recurrent-kernel-swapped | weights-import | kernel and recurrentKernel are swapped | kernel and recurrentKernel are swapped
    weights/kernel-read-in-the-other-order | weights-import | the numbers of the kernel are read as if they were stored as [U, F] | kernel is read as if its rows were its columns
    weights/units-of-bias-reversed | weights-import | the bias is imported with its units in reverse order | bias is read from its last number to its first
    weights/biases-swapped | weights-import | the biases of the layer and of the output layer are swapped | bias and outputBias are swapped
    transpose/recurrent-kernel-on-import | transpose | the recurrent kernel is imported transposed, forward and backward alike | recurrentKernel is transposed
    transpose/kernel-on-import | transpose | the kernel is imported transposed, forward and backward alike | kernel is transposed
    weights/bias-twice | weights-import | the bias is added twice | z_t: the term bias is added twice
    weights/bias-forgotten | weights-import | the bias is not added | z_t: the term bias is forgotten
    weights/bias-at-first-step-only | weights-import | the bias is added at the first time step only | z_t: the term bias is forgotten at t > 0
    weights/states-too-large | weights-import | every state is 1 % too large | h = 1.01 ∘ tanh(z_t)
    precision/float16-kernel | precision | the kernel is kept in float16, with 11 significant bits | kernel in float16
    precision/float16-recurrentKernel | precision | the recurrentKernel is kept in float16, with 11 significant bits | recurrentKernel in float16
    precision/float16-bias | precision | the bias is kept in float16, with 11 significant bits | bias in float16
    precision/float16-inputs | precision | the inputs are kept in float16, with 11 significant bits | inputs in float16
    precision/float16-states | precision | every state is rounded to float16, with 11 significant bits | h in float16
    precision/float32-states | precision | every state is rounded to float32 inside the float64 side | h in float32
    masks/ignored | masks | the mask is ignored: padding counts as input | the mask is ignored
    masks/inverted | masks | the mask is inverted: 1 means masked | the mask is inverted
    masks/of-first-example | masks | the mask of the first example is used for all | the mask of the first example is used for all
    masks/of-previous-step | masks | the mask is shifted: the mask of step t - 1 is used at step t | the mask is one time step late
    masks/of-next-step | masks | the mask is shifted: the mask of step t + 1 is used at step t | the mask is one time step early
    masks/taken-as-length | masks | only the number of unmasked steps counts: they are taken from the beginning of the sequence | the mask is taken as a length: as many first steps count as are not masked
    masks/inputs-zeroed | masks | a masked step is computed with zeros as its input instead of being skipped | a masked step is computed with zeros as its input instead of being skipped
    masks/zero-the-state | masks | a masked step sets the state to zero instead of keeping it | a masked step sets the state h to zero instead of keeping it
    memory/state-leaks-across-examples | memory | the state is not reset: an example starts from the last state of the previous example | an example starts from the last state of the example before it
    other-layer/relu | other-layer | this is a different layer: its activation is relu, but the layer under test has tanh | h_t: relu(z_t) instead of tanh(z_t), in its first way
    other-layer/sigmoid | other-layer | this is a different layer: its activation is sigmoid, but the layer under test has tanh | h_t: σ(z_t) instead of tanh(z_t), in its first way
    other-layer/linear | other-layer | this is a different layer: its activation is linear, but the layer under test has tanh | h_t: z_t instead of tanh(z_t), in its first way
    `,
  ),
  ...faultsOf(
    'loss',
    `
    weights/output-bias-forgotten | weights-import | the bias of the output layer is not added | the bias of the dense layer is forgotten
    precision/float16-outputKernel | precision | the outputKernel is kept in float16, with 11 significant bits | outputKernel in float16
    loss/sum-for-mean | batch-mean | 1/B is missing in the gradient: it is the gradient of the sum, not of the mean | the gradient of the logits is not divided by the batch size
    loss/mean-twice | batch-mean | 1/B is applied twice in the gradient | the gradient of the logits is divided by the batch size twice
    loss/divided-by-classes | batch-mean | 1/C is inserted into the gradient | the gradient of the logits is divided by the number of classes as well
    loss/divided-by-steps | batch-mean | 1/T is inserted into the gradient | the gradient of the logits is divided by the number of time steps as well
    loss/sum-for-mean-throughout | batch-mean | the sum over the batch is taken instead of the mean (reduction='sum'): loss and gradients are B times as large | the loss is summed over the batch instead of averaged
    loss/label-forgotten | loss | p / B instead of (p - onehot) / B: the label is not subtracted | the label is not subtracted: the gradient of the logits is p instead of p - onehot
    loss/softmax-derivative-twice | loss | p - onehot is multiplied by p (1 - p), although it already contains the derivative of the softmax | the gradient of the logits is multiplied by p (1 - p), although p - onehot contains the derivative of the softmax
    loss/epsilon-in-logarithm | loss | the reported loss takes log(p + 0.0001), to avoid the logarithm of zero | the loss is -log(p + 0.0001)
    loss/temperature | loss | the logits are divided by a temperature of 1.5 before the softmax | the logits are divided by a temperature of 1.5, in its first way
    loss/temperature-not-differentiated | loss | the logits are divided by a temperature of 1.5 before the softmax, which its gradient leaves out | the logits are divided by a temperature of 1.5
    loss/label-smoothing | loss | labels are smoothed by 0.1 | labels are smoothed by 0.1
    loss/label-smoothing-in-gradient | loss | labels are smoothed by 0.1 in the gradient, not in the reported loss | labels are smoothed by 0.1 in the gradient, but not in the loss
    loss/weight-penalty-in-loss-too | loss | an L2 penalty is added to the gradients of the kernels: 0.01 times each of them, and in the loss | 0.005 times the sum of the squares of all matrices is added to the loss (L2), in its first way
    loss/weight-penalty-of-biases-too-in-loss-too | loss | an L2 penalty is added to the gradients of the weights: 0.01 times each of them, and in the loss | 0.005 times the sum of the squares of all weights is added to the loss (L2), in its first way
    loss/base-two-throughout | loss | the logarithm has base 2, in the loss and in its gradient | the loss, and with it its gradient, is 1.4426950408889634 times what it should be
    loss/base-two | loss | the loss is reported in bits, not in nats: the logarithm has base 2 | the loss is in bits: log2 instead of ln
    `,
  ),
  ...faultsOf(
    'backward',
    `
    carry/accumulated | notebook | the notebook's first mistake: dh_next + dh_t, so that dh_{t+1} itself is carried in addition to its carry | toBefore = dz_t · recurrentKernelᵀ + dh_t at t > 0
    carry/both-of-the-notebook | notebook | both mistakes of the notebook: dh_{t+1} is carried in addition to its carry, and the initial state gets a gradient of zeros | toBefore = dz_t · recurrentKernelᵀ + dh_t at t > 0 & the gradient of the initial state h is zero
    carry/overwrites-what-arrives | carry | the gradient carried from a later step overwrites the gradient given for the state instead of being added to it | the gradients given for the states of the last step alone
    carry/dropped | carry | no gradient is carried to the previous step: gradients stop after one step | back to h_(t-1): nothing is sent back to h_(t-1)
    carry/negated | carry | the gradient carried to the previous step has the wrong sign | back to h_(t-1): the sign is wrong
    carry/counted-twice | carry | the gradient carried to the previous step is added twice | back to h_(t-1): what is sent back to h_(t-1) is sent twice
    carry/without-slope | carry | dh_t is carried back instead of dz_t, past the tanh | toBefore = dh_t · recurrentKernelᵀ
    carry/not-transposed | transpose | dz_t recurrentKernel is carried back instead of dz_t recurrentKernel^T | back to h_(t-1): recurrentKernel is not transposed
    carry/never-added | carry | the gradient carried to the previous step is computed but never added (min-char-rnn without \`+ dhnext\`) | back to h_(t-1): nothing is sent back to h_(t-1) at t > 0
    slope/missing | tanh-derivative | tanh is not differentiated at all | dz_t: the factor tanh′[h_t] is forgotten
    slope/one-minus-h | tanh-derivative | the derivative of tanh is taken as 1 - h instead of 1 - h^2 | dz = dh_t ∘ (1 - h_t)
    slope/one-plus-h-squared | tanh-derivative | the derivative of tanh is taken as 1 + h^2 instead of 1 - h^2 | dz = dh_t ∘ (1 + h_t ∘ h_t)
    slope/of-the-sigmoid | tanh-derivative | the sigmoid's derivative h (1 - h) is used instead of tanh's | dz = dh_t ∘ h_t ∘ (1 - h_t)
    slope/of-pre-activation | tanh-derivative | 1 - z^2: the derivative is taken from z_t as if it were h_t | dz_t: tanh′ is computed from z_t as if that were tanh(z_t)
    slope/tanh-twice | tanh-derivative | 1 - tanh(h_t)^2: tanh is applied again to a state | dz_t: tanh′ is taken at tanh(z_t) instead of z_t
    slope/step-before | tanh-derivative | the derivative of tanh is taken at h_{t-1} instead of h_t | dz_t: h_(t-1) instead of h_t
    steps/state-after-for-state-before | previous-state | dRecurrentKernel is summed with h_t instead of h_{t-1} | drecurrentKernel: h_t instead of h_(t-1), in h_(t-1)ᵀ
    initial-state/gradient-lost | notebook | the notebook's second mistake: the gradient of the initial state is returned as zeros | the gradient of the initial state h is zero
    initial-state/gradient-of-first-state | initial-state | dh_1 is returned as the gradient of the initial state, one step too early | toBefore = dh_t at t = 0
    initial-state/left-out-of-recurrent-kernel | initial-state | dRecurrentKernel leaves out the first step, as if the initial state were zero | drecurrentKernel: the gradient is zero at t = 0
    loss/weight-penalty | loss | an L2 penalty is added to the gradients of the kernels: 0.01 times each of them | 0.01 times all matrices is added to the gradient: weight decay, or L2
    loss/weight-penalty-of-biases-too | loss | an L2 penalty is added to the gradients of the weights: 0.01 times each of them | 0.01 times all weights is added to the gradient: weight decay, or L2
    clipping/by-norm | clipping-and-update-order | the gradients of the weights are silently clipped to a norm of 0.1 | the gradient of all weights is clipped to the norm 0.1
    clipping/by-value | clipping-and-update-order | every number of the weights' gradients is silently clipped to at most 0.02 | the gradient of all weights is clipped to ±0.02
    loss/layer-means-too | batch-mean | the layer averages its weights' gradients over the batch, although the loss already does | the gradients of the weights are divided by the batch size
    transpose/recurrent-kernel-gradient | transpose | the gradient of the recurrent kernel is returned transposed: dz_t^T h_{t-1} instead of h_{t-1}^T dz_t | drecurrentKernel: the gradient is transposed
    upstream/states-dropped | upstream | the gradient given for the states is dropped: only the final state counts | the gradients given for the states of no step
    upstream/states-one-step-late | upstream | the gradient given for h_{t-1} is added to that of h_t | the gradients given for the states of the step before, or the first
    upstream/final-state-overwrites-states | upstream | at the last step the gradient of the final state replaces that of the states instead of being added to it | the gradients given for the states of the same step, but none at the last
    upstream/states-counted-twice | upstream | the gradient given for the states is added twice | the gradients given for the states of every step are added twice
    upstream/final-state-dropped | upstream | the gradient given for the final state is dropped | the gradient given for the final state h is ignored
    upstream/final-state-counted-twice | upstream | the gradient given for the final state is added twice | the gradient given for the final state h is added twice
    sums/bias-gradient-of-first-example | bias-axis | the bias gradient is not summed over the batch: only the first example counts | the gradient of bias is that of the first example alone
    sums/kernel-gradient-of-last-example | memory | each example overwrites the gradient of the kernel instead of adding to it | the gradient of kernel is that of the last example alone
    sums/bias-gradient-of-last-step | bias-axis | the bias gradient is not summed over time: only the last step counts | dbias: the gradient is zero at t < T - 1
    sums/bias-gradient-averaged | batch-mean | the bias gradient is the mean over the batch, not the sum | the gradient of bias is divided by the batch size
    sums/kernel-gradient-zero | memory | the gradient of the kernel stays zero | dkernel: the gradient is zero
    sums/kernel-gradient-twice | memory | the gradient of the kernel is added twice | dkernel: the gradient is added twice
    sums/recurrent-kernel-gradient-zero | memory | the gradient of the recurrent kernel stays zero | drecurrentKernel: the gradient is zero
    sums/recurrent-kernel-gradient-twice | memory | the gradient of the recurrent kernel is added twice | drecurrentKernel: the gradient is added twice
    sums/bias-gradient-zero | memory | the gradient of the bias stays zero | dbias: the gradient is zero
    sums/bias-gradient-twice | memory | the gradient of the bias is added twice | dbias: the gradient is added twice
    sums/averaged-over-time | batch-mean | the gradients of the layer's weights are means over the time steps, not sums | the gradients of the weights are divided by the number of time steps
    sums/input-gradient-zero | wrong-time-step | the gradients of the inputs stay zero | back to x_t: nothing is sent back to x_t
    slope/step-after | tanh-derivative | the derivative of tanh is taken at h_{t+1} instead of h_t (the last step keeps its own) | dz_t: h_(t+1) instead of h_t, in its first way
    steps/next-input | wrong-time-step | dKernel is summed with x_{t+1} instead of x_t (the last step keeps its own) | dkernel: x_(t+1) instead of x_t, in its first way
    steps/previous-input | wrong-time-step | dKernel is summed with x_{t-1} instead of x_t (the first step keeps its own) | dkernel: x_(t-1) instead of x_t, in its first way
    steps/last-step-skipped | wrong-time-step | the backward loop begins at the second last step, with the gradient that arrived at the last | the walk back leaves the last time step out, in its first way
    steps/first-step-skipped | wrong-time-step | the backward loop ends at the second step | the walk back leaves the first time step out
    steps/input-gradients-reversed | wrong-time-step | the gradients of the inputs are stored in the order of computation, last step first | the gradients of the inputs are stored in the order of the walk back
    initial-state/gradient-summed-over-batch | initial-state | the gradient of the initial state is summed over the batch, as if all examples shared one | the gradient of the initial state h is summed over the batch
    precision/float16-gradients | precision | the gradients of the pre-activations are rounded to float16, with 11 significant bits | dz in float16
    precision/float32-gradients | precision | the gradients of the pre-activations are rounded to float32 inside the float64 side | dz in float32
    precision/float32-weight-gradients | precision | the gradients of the weights are stored in float32 by the float64 side | gradients in float32
    masks/forward-only | masks | the mask is applied to the states but not to the gradients | the mask is ignored in the walk back, in its first way
    masks/masked-step-adds-to-gradients | masks | a masked step passes its gradient on correctly, but still adds to the gradients of weights and inputs | masked steps add to the gradients of the weights, in its first way
    masks/carry-lost | masks | a masked step passes no gradient on | a masked step sends no gradient on
    memory/one-array-for-all-input-gradients | memory | every step stores its input's gradient in the same array, so that all equal the gradient of the first step | every step stores its input's gradient in the same array: all are those of the first step
    `,
  ),
];
