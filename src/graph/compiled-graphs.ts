import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { NetworkPlan } from '../../scratch/index';
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

type Wanted = Omit<GraphPlan, 'loop' | 'oneDnn'>;
type Run = (feeds: Readonly<Record<string, TfTensor>>) => Record<string, TfTensor>;

interface Entry {
  readonly session: GraphSession;
  readonly graph: NetworkGraph;
  readonly plan: GraphPlan;
  load: number;
  readonly warm: Set<Call>;
}

/** Most graphs that a network keeps. */
const mostGraphs = 6;
/** Lengths that get a graph of their own; all further ones share one While graph. */
const mostLengths = 4;

/** The graphs of one network, compiled when they are first needed. */
export class CompiledGraphs {
  readonly setUps: SetUp[] = [];
  private readonly entries = new SessionCache<Entry>(mostGraphs);
  private readonly lengths = new Set<number>();
  /** what was asked for last, which is nearly always what is asked for next */
  private last: { readonly call: Call; readonly wanted: Wanted; readonly run: Run } | undefined;

  constructor(
    private readonly backend: SessionBackend,
    private readonly network: NetworkPlan,
    private readonly packing: PackedWeights,
    private readonly fixedLoop: Loop | undefined,
  ) {}

  /** The call, ready to run. */
  for(call: Call, wanted: Wanted): Run {
    if (this.last?.call === call && isSame(this.last.wanted, wanted)) return this.last.run;
    const run = this.find(call, wanted);
    this.last = { call, wanted, run };
    return run;
  }

  private find(call: Call, wanted: Wanted): Run {
    const loop = this.fixedLoop ?? this.loopFor(wanted.timeSteps);
    const plan = { ...wanted, loop, oneDnn: hasOneDnnProducts(this.backend) };
    const entry = this.entry(plan);
    const { session, graph, warm } = entry;
    const signature = graph.calls[call];
    if (signature === undefined) throw new Error(`the graph of a question has no call ${call}.`);
    return (feeds) => {
      if (warm.has(call)) return session.run(signature, feeds);
      const start = performance.now();
      const results = session.run(signature, feeds);
      warm.add(call);
      this.setUps.push({ call, plan: entry.plan, load: entry.load, firstCall: performance.now() - start });
      entry.load = 0;
      return results;
    };
  }

  dispose(): void {
    this.last = undefined;
    this.entries.dispose();
  }

  private loopFor(timeSteps: number): Loop {
    if (!this.lengths.has(timeSteps) && this.lengths.size >= mostLengths) return 'while';
    this.lengths.add(timeSteps);
    return chooseLoop(timeSteps);
  }

  private entry(plan: GraphPlan): Entry {
    const { loop, timeSteps, ...rest } = plan;
    return this.entries.get(JSON.stringify([loop === 'while' ? loop : timeSteps, rest]), () => {
      const start = performance.now();
      const graph = networkGraph(this.network, this.packing, plan);
      const session = new GraphSession(this.backend, graph.graph, sideBySide(this.network, plan));
      return { session, graph, plan, load: performance.now() - start, warm: new Set() };
    });
  }
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
