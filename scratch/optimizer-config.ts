/** Stochastic gradient descent; velocity' = momentum * velocity + gradient (Polyak 1964; Nesterov 1983). */
export interface SgdConfig {
  readonly name: 'sgd';
  /** default 0.01 */ readonly learningRate?: number;
  /** default 0 */ readonly momentum?: number;
  /** default false */ readonly nesterov?: boolean;
}

/** Adam (Kingma & Ba 2015). */
export interface AdamConfig {
  readonly name: 'adam';
  /** default 0.001 */ readonly learningRate?: number;
  /** default 0.9 */ readonly beta1?: number;
  /** default 0.999 */ readonly beta2?: number;
  /** default 1e-7 */ readonly epsilon?: number;
  /**
   * where epsilon stands: `tfjs` (default): m^ / (sqrt(v^) + epsilon), as in the paper's algorithm 1;
   * `keras`: learningRate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)
   */
  readonly form?: 'tfjs' | 'keras';
}

export type OptimizerConfig = SgdConfig | AdamConfig;
