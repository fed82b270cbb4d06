import { UsageError } from '../../base/outcome';
import { fits, shapeText } from '../assemble';
import type { ModelLayerConfig, Size } from '../description';
import { stateCount, type WeightShapes } from '../shapes';
import { counter, snake, snakeOfClass } from './fields';

/** A named array of a file, before its numbers are read. */
export interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A layer and the weights that it needs. */
export interface Wanted {
  readonly layer: {
    readonly name: string;
    readonly config: ModelLayerConfig;
    readonly inner?: readonly string[];
  };
  readonly shapes: WeightShapes;
}

/** A weight that is looked for, in Keras's words: recurrentKernel -> recurrent_kernel, forwardKernel -> kernel of the direction `forward`. */
interface Slot extends Described {
  /** `lstm.recurrentKernel` */ readonly name: string;
  readonly layer: Wanted['layer'];
  readonly weight: string;
  readonly part: string;
  readonly direction: 'forward' | 'backward' | '';
  /** where Keras 3 keeps it inside its layer: `cell/vars/1` */ readonly path: string;
}

/** Every layer of a file by its class, in its order. */
type AllLayers = readonly { readonly name: string; readonly kind: string }[];

/** What belongs to no layer: the optimizer's memory, and the state of random numbers. */
const notWeights = /(^|\/)(optimizer(_weights)?|seed_generator|top_level_model_weights)(\/|$)/;

/**
 * Which entry of a file is which weight. A weight is found by its layer's name and the last part of its own, whatever stands before
 * and after (`sequential/lstm_1/lstm_cell_3/recurrent_kernel:0`), by Keras 3's numbers (`layers/lstm_1/cell/vars/1`, counted by class),
 * or, where no entry names a layer, by order.
 *
 * @param all every layer of the model, also those that are not read
 * @returns entries by layer and weight
 * @throws UsageError that lists both sides when a weight is missing, has another shape, or an entry is left over
 */
export function matchWeights<T extends Entry>(
  wanted: readonly Wanted[],
  all: AllLayers,
  entries: readonly T[],
  where: string,
): { readonly found: ReadonlyMap<string, Readonly<Record<string, T>>>; readonly notes: readonly string[] } {
  const given = entries.filter(({ name }) => !notWeights.test(name));
  const slots = wanted.flatMap(slotsOf);
  const isNumbered = given.length > 0 && given.every(({ name }) => /(^|\/)vars\/\d+$/.test(name));
  const counted = countedNames(all);
  const byName = isNumbered ? matchNumbered(slots, counted, given) : matchNamed(slots, all, given);
  const chosen = byName.size > 0 ? byName : matchOrder(slots, given);
  const used = new Set(chosen.values());
  // entries of layers that --until cut off are passed over
  const owners = new Map(all.map(({ name }) => [isNumbered ? (counted.get(name) ?? name) : name, name]));
  const kept = new Set(wanted.map(({ layer }) => layer.name));
  const isLeft = (entry: T): boolean => {
    const owner = longestIn(entry.name, owners.keys());
    return !used.has(entry) && (owner === undefined || kept.has(owners.get(owner) ?? ''));
  };
  const wrong = [
    ...slots.filter((slot) => !chosen.has(slot)).map((slot) => `${inWords(slot)} is missing`),
    ...slots.flatMap((slot) => {
      const shape = chosen.get(slot)?.shape;
      const isFit = shape === undefined || fits(slot.shape, shape);
      return isFit ? [] : [`${slot.name} has ${shapeText(shape)}, expected was ${shapeText(slot.shape)}`];
    }),
    ...given.filter(isLeft).map((entry) => `${inWords(entry)} belongs to no layer`),
  ];
  if (wrong.length > 0) {
    const listed = (list: readonly Described[]): string =>
      list.slice(0, 40).map(inWords).join(', ') || 'nothing';
    throw new UsageError(
      `${where}: weights and layers do not fit. ${wrong.slice(0, 12).join('; ')}. The layers need ${listed(slots)}; the file holds ${listed(given)}.`,
    );
  }
  const found = new Map<string, Record<string, T>>(wanted.map(({ layer }) => [layer.name, {}]));
  for (const [{ layer, weight }, entry] of chosen) found.get(layer.name)![weight] = entry;
  const isByOrder = byName.size === 0 && chosen.size > 0;
  return { found, notes: isByOrder ? ['no weight names its layer: they were taken in their order'] : [] };
}

interface Described {
  readonly name: string;
  readonly shape: readonly Size[];
}
const inWords = ({ name, shape }: Described): string => `${name} ${shapeText(shape)}`;

/** forwardRecurrentKernel -> the direction forward, recurrent_kernel */
export function partOf(weight: string): Pick<Slot, 'direction' | 'part'> {
  const direction = (['forward', 'backward'] as const).find((one) => weight.startsWith(one)) ?? '';
  return { direction, part: snake(weight.slice(direction.length)) };
}

function slotsOf({ layer, shapes }: Wanted): Slot[] {
  const { name, config } = layer;
  return Object.entries(shapes).map(([weight, shape], i, { length }) => {
    const { direction, part } = partOf(weight);
    const inside =
      direction !== ''
        ? `${direction}_layer/cell/`
        : config.layer === 'timeDistributed'
          ? 'layer/'
          : stateCount(config) > 0
            ? 'cell/'
            : '';
    const path = `${inside}vars/${direction === 'backward' ? i - length / 2 : i}`;
    return { name: `${name}.${weight}`, layer, weight, shape, part, direction, path };
  });
}

/** Where Keras 3 keeps the weights of each layer, by `layer.weight`: `layers/lstm_1/cell/vars/0`. */
export function pathsInArchive(wanted: readonly Wanted[], all: AllLayers): ReadonlyMap<string, string> {
  const counted = countedNames(all);
  return new Map(
    wanted
      .flatMap(slotsOf)
      .map(({ name, layer, path }) => [name, `layers/${counted.get(layer.name) ?? ''}/${path}`]),
  );
}

const partInName =
  /^(?:(.*)[/.])?(?:[a-z_0-9]*?_)??(recurrent_kernel|kernel|bias|embeddings|gamma|beta|moving_mean|moving_variance)(?:_\d+)?$/;

/** `a/b_1/kernel_2:0` -> the names before, and `kernel` */
function takeApart(name: string): { readonly before: string; readonly part: string } {
  const [, before = '', part = ''] = partInName.exec(name.replace(/:\d+$/, '')) ?? [];
  return { before, part };
}

function matchNamed<T extends Entry>(
  slots: readonly Slot[],
  all: AllLayers,
  entries: readonly T[],
): ReadonlyMap<Slot, T> {
  const inner = new Map(
    slots.toReversed().flatMap(({ layer }) => (layer.inner ?? []).map((one) => [one, layer.name])),
  );
  const names = all.map(({ name }) => name);
  const found = new Map<Slot, T>();
  for (const entry of entries) {
    const { before, part } = takeApart(entry.name);
    const owner = longestIn(before, names) ?? inner.get(longestIn(before, inner.keys()) ?? '');
    const segments = before.split('/');
    const direction =
      ['forward', 'backward'].find((one) => segments.some((segment) => segment.startsWith(one))) ?? '';
    const slot = slots.find(
      (one) =>
        one.layer.name === owner &&
        one.part === part &&
        (one.direction === '' || one.direction === direction) &&
        !found.has(one),
    );
    if (slot !== undefined) found.set(slot, entry);
  }
  return found;
}

/** The longest of these names that stands in a path as whole segments. */
const longestIn = (path: string, names: Iterable<string>): string | undefined =>
  [...names].filter((name) => `/${path}/`.includes(`/${name}/`)).toSorted((a, b) => b.length - a.length)[0];

/** Keras 3 counts the layers of a class: lstm, lstm_1, ...; a few of its versions take the layers' names. */
function matchNumbered<T extends Entry>(
  slots: readonly Slot[],
  counted: ReadonlyMap<string, string>,
  entries: readonly T[],
): ReadonlyMap<Slot, T> {
  const at = (path: string): T | undefined => entries.find(({ name }) => `/${name}`.endsWith(`/${path}`));
  return new Map(
    slots.flatMap((slot) => {
      const { name } = slot.layer;
      const entry = at(`${counted.get(name) ?? ''}/${slot.path}`) ?? at(`${name}/${slot.path}`);
      return entry === undefined ? [] : [[slot, entry]];
    }),
  );
}

function countedNames(all: AllLayers): ReadonlyMap<string, string> {
  const count = counter();
  return new Map(all.map(({ name, kind }) => [name, count(snakeOfClass(kind))]));
}

/** The nth weight of all layers is the nth entry, where shapes and parts agree. */
function matchOrder<T extends Entry>(slots: readonly Slot[], entries: readonly T[]): ReadonlyMap<Slot, T> {
  const isUnnamed = entries.every(({ name }) => /^arr_\d+$/.test(name));
  const ordered = isUnnamed
    ? entries.toSorted((a, b) => Number(a.name.slice(4)) - Number(b.name.slice(4)))
    : entries;
  const agree =
    slots.length === ordered.length &&
    slots.every(
      ({ shape, part }, i) =>
        fits(shape, ordered[i].shape) && (isUnnamed || takeApart(ordered[i].name).part === part),
    );
  return new Map(agree ? slots.map((slot, i) => [slot, ordered[i]]) : []);
}
