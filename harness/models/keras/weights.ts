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

/** Keras's word for a weight: recurrentKernel -> recurrent_kernel, forwardKernel -> kernel of the direction `forward`. */
interface Slot {
  readonly wanted: Wanted;
  readonly weight: string;
  readonly shape: readonly Size[];
  readonly part: string;
  readonly direction: 'forward' | 'backward' | '';
  /** where Keras 3 keeps it inside its layer: `cell/vars/1` */ readonly path: string;
}

const parts = [
  'recurrent_kernel',
  'kernel',
  'bias',
  'embeddings',
  'gamma',
  'beta',
  'moving_mean',
  'moving_variance',
];

/** What belongs to no layer: the optimizer's memory, and the state of random numbers. */
const notWeights = /(^|\/)(optimizer(_weights)?|seed_generator|top_level_model_weights)(\/|$)/;

/**
 * Which entry of a file is which weight. A weight is found by its layer's name and the last part of its own, whatever stands before
 * and after (`sequential/lstm_1/lstm_cell_3/recurrent_kernel:0`), by Keras 3's numbers (`layers/lstm_1/cell/vars/1`, counted by class),
 * or, where no entry names a layer, by order.
 *
 * @param all every layer of the model by its class, also those that are not read
 * @returns entries by layer and weight
 * @throws UsageError that lists both sides when a weight is missing, has another shape, or an entry is left over
 */
export function matchWeights<T extends Entry>(
  wanted: readonly Wanted[],
  all: readonly { readonly name: string; readonly kind: string }[],
  entries: readonly T[],
  where: string,
): { readonly found: ReadonlyMap<string, Readonly<Record<string, T>>>; readonly notes: readonly string[] } {
  const given = entries.filter(({ name }) => !notWeights.test(name));
  const slots = wanted.flatMap(slotsOf);
  const numbered = given.length > 0 && given.every(({ name }) => /(^|\/)vars\/\d+$/.test(name));
  const byName = numbered ? matchNumbered(slots, all, given) : matchNamed(slots, all, given);
  const chosen = byName.size > 0 ? byName : matchOrder(slots, given);
  const used = new Set(chosen.values());
  const kept = new Set(wanted.map(({ layer }) => layer.name));
  const left = given.filter((entry) => !used.has(entry) && isOwned(entry, all, kept, numbered));
  const missing = slots.filter((slot) => !chosen.has(slot));
  const wrong = slots.filter((slot) => {
    const entry = chosen.get(slot);
    return entry !== undefined && !fits(slot.shape, entry.shape);
  });
  if (missing.length + wrong.length + left.length > 0) {
    const listed = (list: readonly string[]): string =>
      list.length === 0 ? 'nothing' : list.slice(0, 40).join(', ');
    throw new UsageError(
      `${where}: weights and layers do not fit. ${[
        ...missing.map((slot) => `${nameOf(slot)} ${shapeText(slot.shape)} is missing`),
        ...wrong.map(
          (slot) =>
            `${nameOf(slot)} has ${shapeText(chosen.get(slot)?.shape ?? [])}, expected was ${shapeText(slot.shape)}`,
        ),
        ...left.map((entry) => `${entry.name} ${shapeText(entry.shape)} belongs to no layer`),
      ]
        .slice(0, 12)
        .join(
          '; ',
        )}. The layers need ${listed(slots.map((slot) => `${nameOf(slot)} ${shapeText(slot.shape)}`))}; the file holds ${listed(given.map(({ name, shape }) => `${name} ${shapeText(shape)}`))}.`,
    );
  }
  const found = new Map<string, Record<string, T>>(wanted.map(({ layer }) => [layer.name, {}]));
  for (const [{ wanted: of, weight }, entry] of chosen) found.get(of.layer.name)![weight] = entry;
  const notes =
    byName.size === 0 && chosen.size > 0 ? ['no weight names its layer: they were taken in their order'] : [];
  return { found, notes };
}

const nameOf = ({ wanted: { layer }, weight }: Slot): string => `${layer.name}.${weight}`;

/** forwardRecurrentKernel -> the direction forward, recurrent_kernel */
export function partOf(weight: string): Pick<Slot, 'direction' | 'part'> {
  const direction = (['forward', 'backward'] as const).find((one) => weight.startsWith(one)) ?? '';
  return { direction, part: snake(weight.slice(direction.length)) };
}

function slotsOf(wanted: Wanted): Slot[] {
  const { config } = wanted.layer;
  return Object.entries(wanted.shapes).map(([weight, shape], i, { length }) => {
    const { direction, part } = partOf(weight);
    const inside =
      direction !== ''
        ? `${direction}_layer/cell/`
        : config.layer === 'timeDistributed'
          ? 'layer/'
          : stateCount(config) > 0
            ? 'cell/'
            : '';
    const number = direction === 'backward' ? i - length / 2 : i;
    return { wanted, weight, shape, part, direction, path: `${inside}vars/${number}` };
  });
}

/** Where Keras 3 keeps the weights of each layer, by layer and weight: `layers/lstm_1/cell/vars/0`. */
export function pathsInArchive(
  wanted: readonly Wanted[],
  all: readonly { readonly name: string; readonly kind: string }[],
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const counted = countedNames(all);
  const pathsOf = (one: Wanted) =>
    slotsOf(one).map(({ weight, path }) => [weight, `layers/${counted.get(one.layer.name) ?? ''}/${path}`]);
  return new Map(
    wanted.map((one) => [one.layer.name, Object.fromEntries(pathsOf(one)) as Record<string, string>]),
  );
}

/** `a/b_1/kernel_2:0` -> the names before, and `kernel` */
function takeApart(name: string): { readonly before: string; readonly part: string } {
  const plain = name.replace(/:\d+$/, '');
  const [, before = '', part = ''] =
    new RegExp(`^(?:(.*)[/.])?(?:[a-z_0-9]*?_)??(${parts.join('|')})(?:_\\d+)?$`).exec(plain) ?? [];
  return { before, part };
}

function matchNamed<T extends Entry>(
  slots: readonly Slot[],
  all: readonly { readonly name: string }[],
  entries: readonly T[],
): ReadonlyMap<Slot, T> {
  const names = new Map<string, string>();
  for (const { name } of all) names.set(name, name);
  for (const { wanted } of slots)
    for (const inner of wanted.layer.inner ?? []) if (!names.has(inner)) names.set(inner, wanted.layer.name);
  const found = new Map<Slot, T>();
  for (const entry of entries) {
    const { before, part } = takeApart(entry.name);
    const owner = ownerOf(before, names);
    if (owner === undefined) continue;
    const rest = before.split('/');
    const direction =
      ['forward', 'backward'].find((one) => rest.some((segment) => segment.startsWith(one))) ?? '';
    const slot = slots.find(
      (one) =>
        one.wanted.layer.name === owner &&
        one.part === part &&
        (one.direction === '' || one.direction === direction) &&
        !found.has(one),
    );
    if (slot !== undefined) found.set(slot, entry);
  }
  return found;
}

/** The layer whose name, or an inner name of which, stands in a path as whole segments; the longest name wins. */
function ownerOf(path: string, names: ReadonlyMap<string, string>): string | undefined {
  const within = [...names].filter(([name]) => `/${path}/`.includes(`/${name}/`));
  const own = within.filter(([name, owner]) => name === owner);
  return (own.length > 0 ? own : within).toSorted(([a], [b]) => b.length - a.length)[0]?.[1];
}

/** Keras 3 counts the layers of a class: lstm, lstm_1, ...; a few of its versions take the layers' names. */
function matchNumbered<T extends Entry>(
  slots: readonly Slot[],
  all: readonly { readonly name: string; readonly kind: string }[],
  entries: readonly T[],
): ReadonlyMap<Slot, T> {
  const counted = countedNames(all);
  const found = new Map<Slot, T>();
  for (const slot of slots) {
    const { name } = slot.wanted.layer;
    const entry = [counted.get(name), name]
      .map((called) =>
        entries.find(
          (one) =>
            one.name.endsWith(`/${called ?? ''}/${slot.path}`) || one.name === `${called ?? ''}/${slot.path}`,
        ),
      )
      .find((one) => one !== undefined);
    if (entry !== undefined) found.set(slot, entry);
  }
  return found;
}

function countedNames(
  all: readonly { readonly name: string; readonly kind: string }[],
): ReadonlyMap<string, string> {
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

/** Whether an entry belongs to a layer that is read, or to none at all: those of layers that --until cut off are passed over. */
function isOwned(
  { name }: Entry,
  all: readonly { readonly name: string; readonly kind: string }[],
  kept: ReadonlySet<string>,
  numbered: boolean,
): boolean {
  const counted = countedNames(all);
  const names = new Map(
    all.map(({ name: layer }) => [numbered ? (counted.get(layer) ?? layer) : layer, layer]),
  );
  const owner = ownerOf(name, new Map([...names.keys()].map((key) => [key, key])));
  return owner === undefined || kept.has(names.get(owner) ?? '');
}
