import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import { sizeOf, type NetworkPlan } from '../../scratch/index';
import { isTransposedOnce } from './layers/recurrent';
import { networkGraph, type Call, type GraphPlan, type NetworkGraph } from './network-graph';
import { hasOneDnnProducts } from './one-dnn';
import type { PackedWeights } from './packed-weights';
import { GraphSession, type SessionBackend } from './session';
import { SessionCache } from './session-cache';
import { chooseLoop, type Loop } from './time/index';

/** One compilation: what for, and the milliseconds it took. */
export interface SetUp {
  readonly call: Call;
  readonly plan: GraphPlan;
  /** writing and loading the graph; 0 when it was loaded for another call */ readonly load: number;
  /** the first call, in which TensorFlow compiles what it fetches */ readonly firstCall: number;
}

type Wanted = Omit<GraphPlan, 'loop' | 'oneDnn' | 'anySizes'>;
type Run = (feeds: Readonly<Record<string, TfTensor>>) => Record<string, TfTensor>;

/** A call of an open session. */
interface Found {
  readonly session: GraphSession;
  readonly run: Run;
}

/** A compiled graph. */
export interface Entry {
  readonly session: GraphSession;
  readonly graph: NetworkGraph;
  readonly plan: GraphPlan;
  load: number;
  readonly warm: Set<Call>;
}

/** Most graphs that a network keeps. */
const mostGraphs = 6;
/** Most graphs that are kept for any networks. */
const mostShared = 64;
/** Lengths that get a graph of their own; all further ones share one While graph. */
const mostLengths = 4;

/** The graphs of one network, compiled when they are first needed. */
export class CompiledGraphs {
  readonly setUps: SetUp[] = [];
  private readonly entries: SessionCache<Entry>;
  private readonly lengths = new Set<number>();
  /** what was asked for last, which is nearly always what is asked for next */
  private last: (Found & { readonly call: Call; readonly wanted: Wanted }) | undefined;

  constructor(
    private readonly backend: SessionBackend,
    private readonly network: NetworkPlan,
    private readonly packing: PackedWeights,
    private readonly fixedLoop: Loop | undefined,
    /** graphs that serve any sizes, and outlive the network */ private readonly shared?: SharedGraphs,
  ) {
    this.entries = shared ?? new SessionCache(mostGraphs);
  }

  /** The call, ready to run. */
  for(call: Call, wanted: Wanted): Run {
    const { last } = this;
    // other networks may have closed a shared graph meanwhile
    if (last?.session.isOpen && last.call === call && isSame(last.wanted, wanted)) return last.run;
    this.last = { call, wanted, ...this.find(call, wanted) };
    return this.last.run;
  }

  private find(call: Call, wanted: Wanted): Found {
    const loop = this.fixedLoop ?? this.loopFor(wanted.timeSteps);
    const anySizes = this.shared !== undefined;
    const plan = { ...wanted, loop, oneDnn: hasOneDnnProducts(this.backend), anySizes };
    const entry = this.entry(plan);
    const { session, graph, warm } = entry;
    const signature = graph.calls[call];
    if (signature === undefined) throw new Error(`the graph of a question has no call ${call}.`);
    const run: Run = (given) => {
      const sizes = anySizes ? this.backend.tf.tensor1d(this.packing.sizes, 'int32') : undefined;
      const feeds = sizes ? { ...given, sizes } : given;
      const start = performance.now();
      let results: Record<string, TfTensor>;
      try {
        results = session.run(signature, feeds);
      } finally {
        sizes?.dispose();
      }
      if (warm.has(call)) return results;
      warm.add(call);
      this.setUps.push({ call, plan: entry.plan, load: entry.load, firstCall: performance.now() - start });
      entry.load = 0;
      return results;
    };
    return { session, run };
  }

  dispose(): void {
    this.last = undefined;
    if (this.shared === undefined) this.entries.dispose();
  }

  private loopFor(timeSteps: number): Loop {
    if (!this.lengths.has(timeSteps) && this.lengths.size >= mostLengths) return 'while';
    this.lengths.add(timeSteps);
    return chooseLoop(timeSteps);
  }

  private entry(plan: GraphPlan): Entry {
    const { loop, timeSteps, ...rest } = plan;
    const network = plan.anySizes ? formOf(this.network) : undefined;
    return this.entries.get(JSON.stringify([network, loop === 'while' ? loop : timeSteps, rest]), () => {
      const start = performance.now();
      const graph = networkGraph(this.network, this.packing, plan);
      const session = new GraphSession(this.backend, graph.graph, sideBySide(this.network, plan));
      return { session, graph, plan, load: performance.now() - start, warm: new Set() };
    });
  }
}

/** The graphs of any networks, each for all sizes: of many small networks of the same layers only the first is compiled. */
export class SharedGraphs extends SessionCache<Entry> {
  constructor(most = mostShared) {
    super(most);
  }
}

/** What a graph for any sizes depends on besides its plan. */
function formOf({ config, layers }: NetworkPlan): unknown {
  const sizes = new Set(['units', 'inputDim', 'outputDim']);
  return [
    JSON.parse(JSON.stringify(config.layers, (key, value: unknown) => (sizes.has(key) ? undefined : value))),
    config.loss,
    layers.map(({ shapes }) =>
      Object.entries(shapes).map(([name, shape]) => [name, isTransposedOnce(sizeOf(shape))]),
    ),
  ];
}

/** Parts of the graph that do not wait for each other: chains of the batch, and the directions of a layer. */
function sideBySide({ config }: NetworkPlan, { chains }: GraphPlan): number {
  return config.layers.some(({ layer }) => layer === 'bidirectional') ? 2 * chains : chains;
}

function isSame(one: Wanted, other: Wanted): boolean {
  return (
    one.timeSteps === other.timeSteps &&
    one.mask === other.mask &&
    one.update === other.update &&
    one.clipped === other.clipped &&
    one.chains === other.chains &&
    one.reportsStates === other.reportsStates &&
    one.question === undefined &&
    other.question === undefined &&
    one.initialStates.length === other.initialStates.length &&
    one.initialStates.every((layer, i) => layer === other.initialStates[i])
  );
}
