import type { LayerConfig } from '../../../scratch/index';
import type { WireTensor, WireWeights } from '../../base/process/index';
import type { BenchSize } from '../size';
import type { Task } from '../task';

/** Everything an engine needs to build its model and its data; the same for all engines. */
export interface WireProblem {
  readonly size: BenchSize;
  /** of the network, the output layer included */ readonly layers: readonly LayerConfig[];
  /** [N, T, F], N at least B; the batch is the first B, forward takes example i mod N */
  readonly inputs: WireTensor;
  /** N class indices */ readonly labels: readonly number[];
  readonly weights: WireWeights;
  readonly learningRate: number;
}

/** What each operation of an engine takes and gives (the line protocol: base/process). The clock runs inside the engine's process, around the calls only. */
export interface Operations {
  /** loads the libraries; fails as absent where they are not installed */
  start: { request: object; result: Started };
  /** keeps the problem and builds the model with its weights */
  open: { request: { problem: WireProblem }; result: object };
  /** answers for the parity check, through the very calls that are timed; then builds the model anew */
  check: { request: object; result: Checked };
  /** calls the task until it is warm: at least `calls` times and for `milliseconds` */
  warm: { request: { task: Task; calls: number; milliseconds: number }; result: Warmed };
  /** times so many calls in a row */
  run: { request: { task: Task; calls: number }; result: Timed };
  /** one float32 product 1024 x 1024 x 1024: the machine's limit */
  product: { request: object; result: Timed };
  status: { request: object; result: Status };
}

export interface Started {
  /** library to version */ readonly versions: Readonly<Record<string, string>>;
  /** what it can be asked to do */ readonly tasks: readonly Task[];
  /** settings that matter, for example threads */ readonly settings?: Readonly<Record<string, string>>;
  /** loading the libraries */ readonly milliseconds: number;
}

export interface Checked {
  /** [1, C] and [256, C], from the initial weights */
  readonly forward1?: WireTensor;
  readonly forward256?: WireTensor;
  /** what forward gives; logits are put through softmax before comparing */
  readonly scores: 'logits' | 'probabilities';
  /** of one training step on the batch at learning rate 1, with the weights after it */
  readonly loss?: number;
  readonly weights?: WireWeights;
}

export interface Warmed {
  readonly calls: number;
  /** the very first call */ readonly firstMilliseconds: number;
  /** median of the later half of the calls */ readonly warmMilliseconds: number;
}

export interface Timed {
  /** of all calls together */ readonly milliseconds: number;
}

export interface Status {
  /** resident set of the process */ readonly rssBytes: number;
  /** tensors that the library counts as alive; absent where it counts none */ readonly tensors?: number;
  /** processor time of the process so far */ readonly cpuSeconds: number;
}
