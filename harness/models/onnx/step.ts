import { UsageError } from '../../base/outcome';
import type { ModelLayerConfig } from '../description';
import { show } from '../json';
import type { GraphReader, Plain } from './graph-reader';
import { attributeTypes, type OnnxAttribute, type OnnxNode } from './schema';
import type { Constant } from './tensors';
import { axesOf, inWords, place, type Axis, type Pile, type Signal, type Value } from './values';

export type Operation = (step: Step) => Value | Value[] | Promise<Value>;

/** One node, and what it needs to know. */
export class Step {
  private called: string | undefined;

  constructor(
    readonly node: OnnxNode,
    /** as messages and layers call the node */ readonly plain: string,
    readonly graph: GraphReader,
  ) {}

  /** of the layer that the node becomes */
  get name(): string {
    return (this.called ??= this.graph.nameFor(this.plain));
  }

  input(i: number): Value | undefined {
    const name = this.node.input.at(i);
    if (i < 0 || name === undefined || name === '') return undefined;
    const found = this.graph.values.get(name);
    if (found === undefined) throw this.refuse(`reads ${show(name)}, which nothing before it gives`);
    return found;
  }

  /** @throws UsageError when it is something else */
  constant(i: number, what: string): Constant {
    const found = this.input(i);
    if (found?.kind === 'constant') return found;
    throw this.refuse(`has ${inWords(found)} as ${what}, where numbers of the file were expected`);
  }

  /** @throws UsageError when it is something else */
  signal(i: number, what = 'an input'): Signal {
    const found = this.input(i);
    if (found?.kind === 'signal') return found;
    throw this.refuse(`has ${inWords(found)} as ${what}, where what a layer gives was expected`);
  }

  /** The first input as what lies side by side along this axis. @throws UsageError when it is something else */
  pile(axis: number | undefined, verb: string, count?: number): Pile {
    const found = this.input(0);
    const isPile =
      found?.kind === 'pile' && axis !== undefined && place(axis, axesOf(found).length) === found.at;
    if (isPile && (count ?? found.parts.length) === found.parts.length) return found;
    throw this.refuse(`${verb} ${inWords(found)}, where the directions of a layer were expected`);
  }

  attribute(name: string): OnnxAttribute | undefined {
    return this.node.attribute.find((one) => one.name === name);
  }

  /** whole numbers: of an input, or of an attribute as older operations have them */
  integers(i: number, attribute: string): readonly number[] | undefined {
    if (i >= 0 && this.input(i) !== undefined) return Array.from(this.constant(i, attribute).data);
    const { ints } = this.attribute(attribute) ?? { ints: [] };
    return ints.length > 0 ? ints : undefined;
  }

  number(attribute: string, preset: number): number {
    const found = this.attribute(attribute);
    if (found === undefined) return preset;
    if (found.type !== attributeTypes.f && found.type !== attributeTypes.i)
      throw this.refuse(`has ${attribute} of the type ${found.type}, where one number was expected`);
    return found.type === attributeTypes.f ? found.f : found.i;
  }

  /** A shape as a list: numbers, and axes whose size is not known. */
  shape(i: number): readonly (number | Axis)[] {
    const value = this.input(i);
    return value?.kind === 'sizes' ? value.items : Array.from(this.constant(i, 'the shape').data);
  }

  /** Whether nothing else reads what this input holds. */
  isOnlyReader(i: number): boolean {
    return this.graph.counts.get(this.node.input[i]) === 1;
  }

  /** @throws UsageError when a constant that was made of others is beyond any model's */
  constantWithin(value: Constant): Constant {
    if (value.data.length > 2 ** 26) throw this.refuse(`makes ${value.data.length} numbers of constants`);
    return value;
  }

  /** What a layer gives that reads a signal; its axes are those of the signal unless they are given. */
  layer(
    signal: Signal,
    config: ModelLayerConfig,
    weights: Plain['weights'] = {},
    axes: readonly Axis[] = signal.axes,
  ): Signal {
    if (signal.flipped === true)
      throw this.refuse('reads steps in the opposite order, as a layer that goes backwards leaves them');
    if (config.layer !== 'embedding') checkFractions(signal, this);
    const { name, graph, node } = this;
    graph.add({ name, kind: node.op_type, config, reads: graph.sourceOf(signal.from), weights });
    return { kind: 'signal', from: { source: { of: name } }, axes };
  }

  refuse(what: string): UsageError {
    const { where, known } = this.graph;
    return new UsageError(
      `${where}: the operation ${show(this.node.name || this.plain)} (${this.node.op_type}) ${what}. Read are ${known.join(', ')} as layers have them; check what comes before it with --until OPERATION.`,
    );
  }
}

/** Numbers that a Cast made whole are read by an embedding only. */
export function checkFractions({ isWhole }: Signal, step: Step): void {
  if (isWhole === true) throw step.refuse('reads an input whose fractions a Cast before it cuts off');
}

/** Gives axes the roles that an operation needs. */
export function unify(axes: readonly (Axis | undefined)[], roles: readonly Axis['role'][], step: Step): void {
  const isFit =
    axes.length === roles.length &&
    axes.every(
      (axis, i) => axis !== undefined && axis.parts === undefined && (axis.role ?? roles[i]) === roles[i],
    );
  if (!isFit)
    throw step.refuse(
      `reads [${axes.map((axis) => axis?.role ?? axis?.size ?? 'any').join(', ')}], where [${roles.join(', ')}] was expected`,
    );
  axes.forEach((axis, i) => (axis!.role = roles[i]!));
}

/** The axis with the features: the last one of what a product or an activation reads. */
export function featuresOf(signal: Signal, step: Step): Axis {
  const last = signal.axes[signal.axes.length - 1];
  if (last.role !== undefined && last.role !== 'features')
    throw step.refuse(`works on the axis of the ${last.role}, where the features were expected`);
  last.role = 'features';
  return last;
}
