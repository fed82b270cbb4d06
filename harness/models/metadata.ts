import { classNamedTwice } from '../base/number-text';
import { UsageError } from '../base/outcome';
import { asObject, isTexts, type Json } from './json';

/** Per feature: x' = (x - mean) / scale. */
export interface Standardisation {
  readonly mean: readonly number[];
  /** the standard deviation; 1 for a feature that never changes */ readonly scale: readonly number[];
}

/** What a saved model remembers besides its layers; in model.json under `userDefinedMetadata`. */
export interface ModelMetadata {
  /** labels as written, by class index; [] for a model that gives numbers */ readonly classNames: readonly string[];
  /** applied to inputs before the network sees them */ readonly standardisation?: Standardisation;
  readonly featureNames?: readonly string[];
  /** which side trained it: `scratch`, `tfjs:wasm`, `graph`; or which program wrote it */ readonly trainedBy: string;
  /** sequences of different lengths: pad with this value when using TensorFlow.js alone */ readonly maskValue?: number;
}

/** What metadata have to fit. */
export interface MetadataSizes {
  /** undefined where the inputs are integers */ readonly features: number | undefined;
  /** 0 for a model that gives numbers */ readonly classes: number;
}

/**
 * The metadata of a model; class names are the indices where the file gives none.
 *
 * @param given `userDefinedMetadata` of model.json; {} of other files
 * @throws UsageError when they contradict themselves, or do not fit the layers
 */
export function metadataOf(
  given: Json,
  { features, classes }: MetadataSizes,
  writtenBy: string,
  where: string,
): ModelMetadata {
  const refuse = (what: string): UsageError =>
    new UsageError(`${where} ${what}; correct userDefinedMetadata in it, or save the model again.`);
  const names = given['classNames'] ?? Array.from({ length: classes }, (_, c) => String(c));
  if (!isTexts(names)) throw refuse('has class names that are not texts');
  if (names.length !== classes) throw refuse(`names ${names.length} classes for ${classes} outputs`);
  const twice = classNamedTwice(names);
  if (twice !== undefined)
    throw refuse(`gives two classes one name: ${twice} (labels that are equal numbers are one label)`);
  const { standardisation, featureNames } = given;
  if (standardisation !== undefined && !isStandardisation(standardisation, features ?? 1))
    throw refuse(
      `has a standardisation that does not fit its ${features} features: a finite mean and a finite scale above 0 for each were expected, found ${JSON.stringify(standardisation).slice(0, 120)}`,
    );
  if (isTexts(featureNames) && featureNames.length !== (features ?? 1))
    throw refuse(`names ${featureNames.length} features, and its layers read ${features ?? 1}`);
  const alike = isTexts(featureNames) && featureNames.find((name, f) => featureNames.indexOf(name) < f);
  if (typeof alike === 'string') throw refuse(`names two features ${JSON.stringify(alike)}`);
  return {
    classNames: names,
    trainedBy: typeof given['trainedBy'] === 'string' ? given['trainedBy'] : writtenBy,
    ...(standardisation !== undefined && { standardisation }),
    ...(isTexts(featureNames) && { featureNames }),
    ...(typeof given['maskValue'] === 'number' && { maskValue: given['maskValue'] }),
  };
}

function isStandardisation(value: unknown, features: number): value is Standardisation {
  const { mean, scale } = asObject(value);
  const fits = (list: unknown, isGood: (x: unknown) => boolean): boolean =>
    Array.isArray(list) && list.length === features && Array.from(list as unknown[]).every(isGood);
  return fits(mean, Number.isFinite) && fits(scale, (x) => Number.isFinite(x) && (x as number) > 0);
}
