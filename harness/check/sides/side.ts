import type { PrecisionModel } from '../../budget/index';
import type { ModelDescription } from '../../models/index';
import type { Tensor } from '../../../scratch/index';
import type { ModelInputs } from '../reference';

/** What a side showed of a layer; absent where it does not show it. */
export interface Shown {
  readonly output?: Tensor;
  readonly states?: readonly Tensor[];
}

/** By layer, in our names. */
export type ShownLayers = ReadonlyMap<string, Shown>;

/** A program that runs a user's model. */
export interface ModelSide {
  /** `tfjs:wasm`, `graph`, `keras` */ readonly name: string;
  readonly version: string;
  /** how it rounds */ readonly model: PrecisionModel;
  /**
   * @throws CannotRunError when this program does not have a layer or an option of the model
   */
  run(model: ModelDescription, inputs: ModelInputs): Promise<ShownLayers>;
  close?(): Promise<void>;
}

/** The program does not have something that the model needs; the message says what. */
export class CannotRunError extends Error {
  override readonly name = 'CannotRunError';
}

/** The program is not on this machine; the message says what to install. */
export class AbsentSideError extends Error {
  override readonly name = 'AbsentSideError';
}
