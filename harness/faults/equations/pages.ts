import type { CellFault, Sort } from './changes';

const gatedPages: Readonly<Record<Sort, string>> = {
  term: 'bptt.md#other-layer',
  factor: 'bptt-gated.md#candidate',
  activation: 'bptt.md#other-layer',
  slope: 'bptt-gated.md#slopes',
  time: 'bptt-gated.md#candidate',
  transpose: 'bptt.md#transpose',
  blend: 'bptt-gated.md#blend',
  gates: 'bptt-gated.md#gate-order',
  bias: 'bptt-gated.md#biases',
  reset: 'bptt-gated.md#reset',
  carry: 'bptt-gated.md#two-carries',
  share: 'bptt.md#wrong-time-step',
};

/** Where a cell without gates has its own section. */
const plainPages: Partial<Readonly<Record<Sort, string>>> = {
  factor: 'bptt.md#tanh-derivative',
  slope: 'bptt.md#tanh-derivative',
  time: 'bptt.md#previous-state',
  bias: 'bptt.md#bias-axis',
  carry: 'bptt.md#carry',
  gates: 'bptt.md#weights-import',
};

/** The section of the documentation about a sort of mistake. */
export function pageOf({ sort, phase }: Pick<CellFault, 'sort' | 'phase'>, isGated: boolean): string {
  // a factor of the way back is a slope
  if (sort === 'factor' && phase === 'forward' && !isGated) return 'docs/bptt.md#other-layer';
  return `docs/${(isGated ? undefined : plainPages[sort]) ?? gatedPages[sort]}`;
}

/** Sentences by hand for mistakes that people make often, by cell and generated name. */
const sentences: Readonly<Partial<Record<string, Readonly<Partial<Record<string, string>>>>>> = {
  LSTM: {
    'c_t: the factor σ(z_t[f]) is forgotten': 'the forget gate is left out: nothing is ever forgotten',
    'c_t: the factor σ(z_t[i]) is forgotten': 'the input gate is left out: every candidate is written whole',
    'h_t: the factor σ(z_t[o]) is forgotten': 'the output gate is left out: the whole cell state is shown',
    'h_t: c_t instead of tanh(c_t)': 'the cell state is shown without tanh',
    'z_t: 1 is added to z_t[f] once more':
      'the forget bias of 1 is added in the cell although the bias vector has it already',
    'z_t: the weights of f and c are exchanged':
      'the weights of f and c are exchanged: TensorFlow 1 has the order i c f o',
    'back to c_(t-1): nothing is sent back to c_(t-1)':
      'the carry of the cell state is cut: no gradient goes past a step but through h',
    'back to h_(t-1): nothing is sent back to h_(t-1)':
      'the carry of the state is cut: no gradient goes past a step but through the cell state',
    'dc_t: the term in_c_t is forgotten':
      'what step t+1 sends back to the cell state is overwritten instead of added to',
  },
  GRU: {
    'z_t[z r]: the weights of z and r are exchanged':
      'the weights of z and r are exchanged: PyTorch has the order r z h',
    'h_t: σ(z_t[z]) and 1 - σ(z_t[z]) are exchanged':
      'the update gate z and 1 - z are exchanged: two conventions of papers are mixed',
    'z_t[h]: σ(z_t[r]) is multiplied after the product with recurrentKernel[h] instead of before':
      'the reset gate is applied after the matrix (reset_after=True), as cuDNN and PyTorch do',
  },
  'GRU, reset after': {
    'z_t[z r]: the weights of z and r are exchanged':
      'the weights of z and r are exchanged: PyTorch has the order r z h',
    'h_t: σ(z_t[z]) and 1 - σ(z_t[z]) are exchanged':
      'the update gate z and 1 - z are exchanged: two conventions of papers are mixed',
    'z_t[h]: σ(z_t[r]) is multiplied before the product in m_t instead of after':
      'the reset gate is applied before the matrix (reset_after=False), as TensorFlow.js does',
  },
  'simple RNN': {
    'dz_t: the factor tanh′[h_t] is forgotten': 'the derivative of tanh is forgotten',
    'back to h_(t-1): nothing is sent back to h_(t-1)': 'the carry is cut: no gradient goes past a step',
  },
};

/** The sentence written by hand, else the generated one. */
export function sentenceOf(cell: string, name: string): string {
  return sentences[cell]?.[name] ?? name;
}
