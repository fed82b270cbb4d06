import { expect } from 'chai';
import { UsageError } from '../../../harness/base/outcome';
import { planModel } from '../../../harness/models/keras/read';
import type { Dialect } from '../../../harness/models/keras/options';

const keras3: Dialect = { program: 'keras', major: 3, version: '3.15.1' };

type Options = Readonly<Record<string, unknown>>;
const layer = (kind: string, config: Options = {}, more: Options = {}) => ({
  class_name: kind,
  config: { name: kind.toLowerCase(), ...config },
  ...more,
});
const input = layer('InputLayer', { name: 'x', batch_shape: [null, 6, 3] });
const lstm = (config: Options = {}, more?: Options) => layer('LSTM', { units: 4, ...config }, more);
const chain = (...layers: readonly object[]): object => ({ class_name: 'Sequential', config: { layers } });
const after = (...layers: readonly object[]): object => chain(input, ...layers);

const tensor = (of: string, index = 0, node = 0) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 6, 3], keras_history: [of, node, index] },
});
const reads = (args: readonly unknown[], kwargs: Options = {}) => ({ inbound_nodes: [{ args, kwargs }] });
const graph = (...layers: readonly object[]): object => ({
  class_name: 'Functional',
  config: { layers: [input, ...layers], input_layers: ['x', 0, 0], output_layers: ['last', 0, 0] },
});
const last = (args: readonly unknown[], kwargs?: Options, config?: Options): object =>
  lstm({ name: 'last', ...config }, reads(args, kwargs));

const embedding = layer('Embedding', { input_dim: 7, output_dim: 3, mask_zero: true }, reads([tensor('x')]));
const notEqual = (value: number, name = 'ne'): object =>
  layer('NotEqual', { name }, reads([tensor('x'), value]));
const any = (axis: number): object =>
  layer('Any', { name: 'any', axis, keepdims: false }, reads([tensor('ne')]));
const masking = layer('Masking', { mask_value: -1.5 }, reads([tensor('x')]));
const wrapped = (kind: string, config: Options = {}) => ({ layer: layer(kind, { units: 4, ...config }) });

/** What the file has, what the message says of it, and what it advises. */
const rows: readonly (readonly [what: string, config: object, says: RegExp, advice?: RegExp, until?: string])[] = [
  ['no model of layers', { class_name: 'Graph', config: {} }, /the model is Graph, where a Sequential or a/, /make it of layers/],
  ['no layers', { class_name: 'Sequential', config: {} }, /has no list of layers/, /save the model again/],
  ['one name twice', after(lstm(), lstm()), /two layers are named lstm/, /rename one/],
  ['an unknown --until', after(lstm()), /has no layer b for --until; its layers are x, lstm/, /--until/, 'b'],
  ['nothing before --until', after(lstm()), /nothing comes before lstm/, /give a later layer/, 'lstm'],
  ['a model in the model', after(layer('Sequential')), /layer sequential is Sequential/, /its layers to the outer model one by one/],
  ['cells', after(layer('RNN')), /layer rnn is RNN/, /make it SimpleRNN, LSTM or GRU/],
  ['another layer', after(layer('Conv1D')), /layer conv1d is Conv1D; read are InputLayer, Masking/],
  ['units below 1', after(lstm({ units: -1 })), /\(LSTM\) has units -1, where a whole number of at least 1/],
  ['a text for a flag', after(lstm({ use_bias: 'yes' })), /has use_bias yes, where true or false/],
  ['a text for a number', after(layer('Masking', { mask_value: 'a' })), /has mask_value a, where a finite number/],
  ['another activation', after(lstm({ activation: 'gelu' })), /has activation gelu, where tanh, sigmoid,/],
  ['softmax in a gate', after(lstm({ recurrent_activation: 'softmax' })), /has recurrent_activation softmax, where tanh/],
  ['time first', after(lstm({ time_major: true })), /has time_major true, where false/],
  ['bits', after(lstm({ dtype: 'int8' })), /has dtype int8/],
  ['an option of a later Keras', after(lstm({ surprise: 1, other: 'x' })), /has surprise 1 and other x/],
  ['no merge', after(layer('Bidirectional', { ...wrapped('LSTM'), merge_mode: null })), /has merge_mode null, where concat, sum, mul or ave/],
  ['both ways of a Dense', after(layer('Bidirectional', wrapped('Dense'))), /has layer Dense, where SimpleRNN, LSTM or GRU/],
  ['both ways backwards', after(layer('Bidirectional', wrapped('LSTM', { go_backwards: true }))), /has layer\.go_backwards true, where false/],
  ['another way back', after(layer('Bidirectional', { ...wrapped('LSTM'), backward_layer: layer('LSTM', { units: 4, activation: 'relu', go_backwards: true }) })), /has backward_layer .*, where the options of layer, with go_backwards true/],
  ['steps of an LSTM', after(layer('TimeDistributed', wrapped('LSTM'))), /has layer LSTM, where Dense/],
  ['a ReLU with an end', after(layer('ReLU', { max_value: 6 })), /has max_value 6, where null/],
  ['a slope', after(layer('ReLU', { negative_slope: 0.1 })), /has negative_slope 0\.1, where 0/],
  ['softmax over time', after(layer('Softmax', { axis: 1 })), /has axis 1, where -1/],
  ['a normalized third axis', after(layer('BatchNormalization', { axis: 3 })), /has axis 3, where -1/],
  ['three biases', after(layer('GRUResetAfter', { units: 4, biases: 3 })), /has biases 3, where 1 or 2/],
  ['a row for a sequence', after(lstm(), lstm({ name: 'two' })), /layer two \(LSTM\) reads \[B, T, N\], but what comes before it gives \[B, 4\]/, /return_sequences=True/],
  ['a sequence for a row', after(layer('RepeatVector', { n: 2 })), /reads \[B, N\], but what comes before it gives \[B, 6, 3\]/, /return_sequences=False/],
  ['numbers for integers', after(layer('Embedding', { input_dim: 7, output_dim: 3 })), /reads integers \[B, T\], but .* gives \[B, 6, 3\]/, /let it read an input/],
  ['four axes', chain(layer('InputLayer', { batch_shape: [null, 2, 6, 3] })), /have shape \[2,6,3\] \(without the batch\), where \[T, F\]/],
  ['no shape', chain(lstm()), /the shape of the inputs is missing: layer lstm has no batch_input_shape/, /keras\.Input/],
  ['a layer without inputs', graph(lstm({ name: 'last' }, { inbound_nodes: [] })), /layer last is used 0 times, where once/],
  ['a layer that is used twice', graph(lstm({ name: 'last' }, { inbound_nodes: [{}, {}] })), /layer last is used 2 times, where once/],
  ['a node that names nothing', graph(last([])), /layer last reads nothing/, /save the model again/],
  ['an unknown layer', graph(last([tensor('y')])), /layer last reads y, which is not computed before it/, /save the model again/],
  ['a second use', graph(last([tensor('x', 0, 1)])), /reads the use number 2 of the layer x, where once/],
  ['a negative output', graph(last([tensor('x', -1)])), /layer last reads \["x",0,-1\]/, /save the model again/],
  ['a state of an input', graph(last([tensor('x', 1)])), /reads state 1 of x, which gives none/, /save the model again/],
  ['too few states', graph(last([tensor('x'), tensor('x')])), /reads 2 tensors, where 1 was expected, or 1 and 2 initial states/],
  ['another width of a state', graph(lstm({ units: 5, return_state: true }, reads([tensor('x')])), last([tensor('x')], { initial_state: [tensor('lstm', 1), tensor('lstm', 2)] })), /an initial state of last has 5 units, and the layer has 4/, /the same units/],
  ['a tensor as an argument', graph(last([tensor('x')], { constants: [tensor('x')] })), /layer last gets a tensor as its argument constants/],
  ['a mask from elsewhere', graph(notEqual(0), any(-1), last([tensor('x')], { mask: tensor('any') })), /gets a mask of its own \(any\), where none reaches it/],
  ['a mask of another value', graph(notEqual(0), any(-1), masking, last([tensor('masking')], { mask: tensor('any') })), /gets a mask of its own \(any\), which is not that of the layer masking/],
  ['a mask over another axis', graph(notEqual(-1.5), any(1), masking, last([tensor('masking')], { mask: tensor('any') })), /which is not that of the layer masking/],
  ['a mask of another integer', graph(notEqual(1), embedding, last([tensor('embedding')], { mask: tensor('ne') })), /which is not that of the layer embedding/],
  ['an operation as an input', graph(notEqual(0), last([tensor('ne')])), /layer ne is NotEqual/],
  ['an output that is none', { ...graph(last([tensor('x')])), config: { layers: [input], input_layers: ['x', 0, 0], output_layers: ['y', 0, 0] } }, /the model has no layer that is run/, /add one/],
]; // prettier-ignore

describe('what a Keras configuration that is not read says', () => {
  for (const [
    what,
    config,
    says,
    advice = /change that in the model and save it again, or check what .* --until/,
    until,
  ] of rows)
    it(`of ${what}: what is there, what was expected, and what to do`, () => {
      let message = 'it was read';
      try {
        planModel(config, keras3, 'm.keras', until);
      } catch (error) {
        expect(error).to.be.instanceOf(UsageError);
        ({ message } = error as Error);
      }
      expect(message)
        .to.match(says)
        .and.to.match(advice)
        .and.to.match(/^m\.keras.*[^.]\.$/);
    });

  it('is nothing where the masks are those that layers pass on', () => {
    for (const model of [
      graph(notEqual(-1.5), any(-1), masking, last([tensor('masking')], { mask: tensor('any') })),
      chain(
        layer('InputLayer', { batch_shape: [null, 6] }),
        layer('Embedding', { input_dim: 7, output_dim: 3 }),
      ),
    ])
      expect(
        planModel(model, keras3, 'm.keras', undefined).topology.layers.map(({ kind }) => kind),
      ).to.not.include('Any');
  });
});
