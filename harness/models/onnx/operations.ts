import { axisOperations } from './axes';
import type { Operation } from './step';
import { layerOperations } from './layer-operations';
import { constant, constantOf } from './tensors';
import { integerTypes, type OnnxTensor } from './schema';
import { axesOf, inWords, zeros, type Value } from './values';

const same: Operation = (step) => step.input(0) ?? zeros;

/** Every operation that is read, by its name. */
export const operations: Readonly<Record<string, Operation>> = {
  ...layerOperations,
  ...axisOperations,
  Identity: same,
  Cast(step) {
    const value = same(step) as Value;
    const isWhole =
      value.kind === 'zeros' ||
      value.kind === 'sizes' ||
      (value.kind === 'constant' && value.data.every((x) => Number.isInteger(x)));
    if (!integerTypes.has(step.number('to', 0)) || isWhole) return value;
    const input = value.kind === 'signal' && 'source' in value.from ? value.from.source.of : undefined;
    const isInteger = input === undefined ? undefined : step.graph.inputs.get(input);
    if (value.kind !== 'signal' || isInteger === undefined)
      throw step.refuse(`cuts off the fractions of ${inWords(value)}`);
    return isInteger ? value : { ...value, isWhole: true };
  },
  Dropout(step) {
    if (step.input(2) !== undefined && step.constant(2, 'training_mode').data.some((x) => x !== 0))
      throw step.refuse('is in training mode');
    return same(step);
  },
  Constant: (step) => {
    const [value] = step.node.attribute;
    switch ((value as typeof value | undefined)?.name) {
      case 'value':
        if (value.t !== null)
          return constantOf(value.t, step.graph.where, () =>
            Promise.reject(step.refuse('keeps numbers in another file')),
          );
        break;
      case 'value_float':
        return constant([value.f], []);
      case 'value_int':
        return constant([value.i], []);
      case 'value_floats':
        return constant(value.floats);
      case 'value_ints':
        return constant(value.ints);
    }
    throw step.refuse('holds no numbers');
  },
  ConstantOfShape(step) {
    const value = step.attribute('value')?.t;
    const { float_data, int64_data, int32_data, double_data, raw_data } =
      value ?? ({} as Partial<OnnxTensor>);
    const isZero = [float_data, int64_data, int32_data, double_data, raw_data].every(
      (list) => list === undefined || Array.from(list).every((x) => x === 0),
    );
    if (!isZero) throw step.refuse('fills with a number that is not 0');
    return zeros;
  },
  Shape: (step) => {
    const value = step.input(0);
    if (value?.kind === 'constant') return constant(value.shape);
    if (value?.kind !== 'signal' && value?.kind !== 'pile')
      throw step.refuse(`asks for the sizes of ${inWords(value)}`);
    const items = axesOf(value).map((axis) => axis ?? (value.kind === 'pile' ? value.parts.length : 1));
    return { kind: 'sizes', items };
  },
};
