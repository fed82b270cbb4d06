import type { MaskedRows, ModelLayer } from '../../models/index';
import type { Variant } from './variant';

export function maskVariants(layer: ModelLayer): Variant[] {
  const now = layer.maskedRows ?? 'state';
  const all: Readonly<Record<MaskedRows, string>> = {
    state: 'a masked step repeats the state (TensorFlow.js)',
    output: 'a masked step repeats the output before it, zeros before the first real step (Keras)',
    zero: 'a masked step gives zeros (zero_output_for_mask)',
    unmasked: 'the mask is ignored',
  };
  return (Object.keys(all) as MaskedRows[]).flatMap((maskedRows) =>
    maskedRows === now
      ? []
      : [
          {
            id: 'masked-rows',
            words: `${all[maskedRows]}; by the model's file, ${all[now]}`,
            layer: { ...layer, maskedRows },
          },
        ],
  );
}
