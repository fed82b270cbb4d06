import { runFitOn } from '../scratch/index';
import type {
  GivenWeights,
  History,
  LayersNetwork,
  NetworkAnswer,
  NetworkBatchResult,
  NetworkConfig,
  NetworkFitOptions,
  NetworkLossAndGradients,
  NetworkPlan,
  NetworkPrediction,
  NetworkQuestion,
  NetworkTargets,
  StackInputOptions,
  StackInputs,
  StackWeights,
  TensorLike,
} from '../scratch/index';
import type { CheckedBatch, NetworkEngine } from './network-engine';
import { Shell } from './shell';

interface OfLayers {
  readonly options: StackInputOptions;
  readonly targets: NetworkTargets;
  readonly weights: StackWeights;
  readonly givenWeights: GivenWeights;
  readonly result: NetworkBatchResult;
}

/** A network whose options, weights and states are arrays by layer. */
export abstract class NetworkShell extends Shell<OfLayers> implements LayersNetwork {
  readonly config: NetworkConfig;

  protected constructor(
    plan: NetworkPlan,
    engine: NetworkEngine,
    clipNorm: number | undefined,
    runsOn: { use(): void },
  ) {
    super('network', plan, engine, clipNorm, runsOn);
    this.config = plan.config;
  }

  async fit(inputs: TensorLike, labels: NetworkTargets, options: NetworkFitOptions = {}): Promise<History> {
    this.begin('fit');
    return runFitOn(this, (given, name) => this.plan.checkExamples(given, name), { inputs, labels }, options);
  }

  predict(inputs: TensorLike, options: StackInputOptions = {}): NetworkPrediction {
    return this.predictions(inputs, options, 'predict');
  }

  lossAndGradients(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: StackInputOptions = {},
  ): NetworkLossAndGradients {
    return this.differentiate(inputs, targets, options);
  }

  run(inputs: TensorLike, question: NetworkQuestion = {}): NetworkAnswer {
    this.begin('run');
    return this.engine.answer(this.plan.checkQuestion(inputs, question, 'run'), 'run');
  }

  protected override check(...given: Parameters<NetworkPlan['check']>): StackInputs {
    return this.plan.check(...given);
  }

  protected override checkBatch(...given: Parameters<NetworkPlan['checkBatch']>): CheckedBatch {
    return this.plan.checkBatch(...given);
  }

  protected override checkWeights(weights: GivenWeights, name: string): StackWeights {
    return this.plan.checkWeights(weights, name);
  }

  protected override fromLayers(weights: StackWeights): StackWeights {
    return weights;
  }
}
