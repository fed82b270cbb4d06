import {
  dataTypes,
  wireShape,
  type AnyTensor,
  type Dimension,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './graph-tensor';
import { typeAttr } from './node-writer';
import { Ops } from './ops';
import { encodeSavedModel, type FunctionDef, type SignatureDef } from './schema';

/** Loop variables by name; one that is undefined is left out, so that optional ones need no second loop. */
type Variables = Readonly<Record<string, AnyTensor | undefined>>;
type Present = Readonly<Record<string, AnyTensor>>;

/** A While loop: every variable keeps its name and type; one that `body` does not return stays as it is. */
export interface WhileLoop<V extends Variables> {
  readonly name: string;
  readonly variables: V;
  readonly condition: (g: Ops, variables: V) => GraphTensor<'bool'>;
  readonly body: (g: Ops, variables: V) => Partial<V>;
}

/**
 * Writes a TensorFlow graph from JavaScript and saves it as a SavedModel, which knows nothing of what it computes.
 *
 * @example
 * const g = new GraphBuilder();
 * const x = g.placeholder('x', 'float32', ['N', 2]);
 * const double = g.signature('double', { x }, { y: g.add(x, x) });
 * // new GraphSession(backend, g).run(double, { x: tensor }).y
 */
export class GraphBuilder extends Ops {
  private readonly functions: FunctionDef[] = [];
  private readonly signatures: Record<string, SignatureDef> = {};

  placeholder<D extends DType>(name: string, dtype: D, shape: readonly Dimension[]): Placeholder<D> {
    const attr = { dtype: typeAttr(dtype), shape: { shape: wireShape(shape) } };
    return { ...this.one('Placeholder', [], attr, ['output', dtype], name), name, shape };
  }

  /** What one call feeds and fetches. Everything else in the graph is pruned from that call. */
  signature<I extends string, O extends string>(
    name: string,
    inputs: Readonly<Record<I, Placeholder<DType>>>,
    outputs: Readonly<Record<O, AnyTensor>>,
  ): Signature<I, O> {
    const info = (tensor: AnyTensor, shape?: readonly Dimension[]) => ({
      name: tensor.ref,
      dtype: dataTypes[tensor.dtype],
      tensorShape: shape === undefined ? { unknownRank: true } : wireShape(shape),
    });
    const entries = Object.entries<Placeholder<DType>>(inputs);
    this.signatures[name] = {
      inputs: Object.fromEntries(entries.map(([key, input]) => [key, info(input, input.shape)])),
      outputs: Object.fromEntries(Object.entries<AnyTensor>(outputs).map(([key, t]) => [key, info(t)])),
      methodName: 'tensorflow/serving/predict',
    };
    return { name, inputs, outputs };
  }

  /** Repeats `body` while `condition` holds; compiled in place ("lowered"), so that it costs no function call. */
  whileLoop<V extends Variables>({ name, variables: optional, condition, body }: WhileLoop<V>): V {
    const variables = present(optional);
    const keys = Object.keys(variables);
    const scoped = this.uniqueName(name);
    const asFunction = (part: string, build: (g: Ops, inner: V) => Present): string => {
      const writer = new FunctionWriter(`${scoped}_${part}`.replaceAll('/', '_'), variables, this.oneDnn);
      this.functions.push(writer.finish(build(writer, writer.arguments as unknown as V)));
      return writer.name;
    };
    const cond = asFunction('condition', (g, inner) => ({ result: condition(g, inner) }));
    const loop = asFunction('body', (g, inner) => present({ ...inner, ...body(g, inner) }));
    const attr = {
      T: { list: { type: keys.map((key) => dataTypes[variables[key].dtype]) } },
      cond: { func: { name: cond } },
      body: { func: { name: loop } },
      _lower_using_switch_merge: { b: true },
    };
    const outputs = keys.map((key) => ['output', variables[key].dtype] as const);
    const results = this.node('While', Object.values(variables), attr, outputs, `${name}_loop`);
    return Object.fromEntries(keys.map((key, i) => [key, results[i]])) as unknown as V;
  }

  /** The bytes of `saved_model.pb`. */
  toSavedModel(): Uint8Array {
    return encodeSavedModel({ nodes: this.nodes, functions: this.functions, signatures: this.signatures });
  }

  protected override refer(node: string, _argument: string, _index: number, flat: number): string {
    return `${node}:${flat}`;
  }
}

/** The body of a function of the graph's library; its arguments are called as the variables. */
class FunctionWriter extends Ops {
  readonly arguments: Present;

  constructor(
    readonly name: string,
    variables: Present,
    oneDnn: boolean,
  ) {
    super(oneDnn);
    this.arguments = Object.fromEntries(
      // an argument shares the name space of the nodes: reserve it
      Object.entries(variables).map(([key, { dtype }]) => [key, { dtype, ref: this.uniqueName(key) }]),
    );
  }

  finish(results: Present): FunctionDef {
    const entries = Object.entries(results);
    return {
      signature: {
        name: this.name,
        inputArg: Object.entries(this.arguments).map(([name, t]) => ({ name, type: dataTypes[t.dtype] })),
        outputArg: entries.map(([key, t]) => ({ name: resultName(key), type: dataTypes[t.dtype] })),
      },
      nodeDef: this.nodes,
      ret: Object.fromEntries(entries.map(([key, tensor]) => [resultName(key), tensor.ref])),
    };
  }

  protected override refer(node: string, argument: string, index: number): string {
    return `${node}:${argument}:${index}`;
  }
}

function present(variables: Variables): Present {
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, AnyTensor] => entry[1] !== undefined),
  );
}

/** Results share a name space with arguments. */
function resultName(key: string): string {
  return `next_${key}`;
}
