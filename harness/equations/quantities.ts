import type { Arithmetic } from './arithmetics/arithmetic';
import type { Axis } from './expression';
import type { Block } from './operations/index';
import { rangesOf, type CellSizes } from './weights';

/** Quantities of one time step, kept as they were computed: whole, or by parts. */
export class Quantities<V extends Block> {
  private readonly kept = new Map<string, { part: Axis; value: V }[]>();
  /** parts that were asked for and are not kept by themselves, by name and part */ private readonly cut =
    new Map<string, V>();

  constructor(
    private readonly arithmetic: Arithmetic<V>,
    private readonly sizes: CellSizes,
  ) {}

  /** @param axis of the quantity, and which part of it `value` is */
  set(name: string, axis: Axis, part: Axis | undefined, value: V): void {
    const own = part ?? axis;
    const others = (this.kept.get(name) ?? []).filter((one) => one.part.join(' ') !== own.join(' '));
    this.kept.set(name, [...others, { part: own, value }]);
    this.cut.clear();
  }

  /** The same, with one more, or another one in its place. */
  and(name: string, axis: Axis, value: V): Quantities<V> {
    const made = new Quantities(this.arithmetic, this.sizes);
    for (const [own, parts] of this.kept) if (own !== name) made.kept.set(own, parts);
    made.set(name, axis, undefined, value);
    return made;
  }

  get(name: string, axis: Axis, part: Axis | undefined): V {
    const wanted = part ?? axis;
    const all = this.kept.get(name) ?? [];
    const text = wanted.join(' ');
    const same = all.find((one) => one.part.join(' ') === text);
    if (same !== undefined) return same.value;
    const known = this.cut.get(`${name} ${text}`);
    if (known !== undefined) return known;
    const made = this.arithmetic.sideBySide(
      wanted.map((block) => {
        const holder = all.find((one) => one.part.includes(block));
        if (holder === undefined) throw new Error(`Quantities: ${name} has no block ${block} yet`);
        return takePart(this.arithmetic, holder.value, holder.part, [block], this.sizes);
      }),
    );
    this.cut.set(`${name} ${text}`, made);
    return made;
  }
}

/** The columns of a part of `axis`. */
export function takePart<V extends Block>(
  arithmetic: Arithmetic<V>,
  whole: V,
  axis: Axis,
  part: Axis | undefined,
  sizes: CellSizes,
): V {
  if (part === undefined || part.join(' ') === axis.join(' ')) return whole;
  return arithmetic.sideBySide(
    rangesOf(axis, part, sizes).map(([from, to]) => arithmetic.columns(whole, from, to)),
  );
}
