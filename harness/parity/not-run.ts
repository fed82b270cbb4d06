import { isLayered, type AnyProblem, type Implementation } from '../base/problem';

/** What did not run on a side, or could not be seen there: how often, by the reason. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(reason: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  get reasons(): readonly string[] {
    return [...this.counts.keys()];
  }

  /** @param words of `3 problems` and a reason */
  notes(words: (problems: string, reason: string, are: 'was' | 'were') => string, about = ''): string[] {
    return [...this.counts].map(([reason, count]) =>
      words(`${count} ${count === 1 ? 'problem' : 'problems'}${about}`, reason, count === 1 ? 'was' : 'were'),
    );
  }
}

const declaresLayers =
  "it declares layers; name a network of these: --layers lstm:4, in a test { model: { layers: [{ layer: 'lstm', units: 4 }] } }";

/** Those problems that the side does not refuse by its description; the others are counted, and reported with the reason. */
export function runnable<T>(
  { name, layered: own }: Pick<Implementation, 'name' | 'layered'>,
  items: readonly T[],
  problemOf: (item: T) => AnyProblem,
): { readonly chosen: readonly T[]; readonly notes: readonly string[] } {
  const refused = { layers: new Tally(), 'the simple RNN': new Tally() };
  const chosen = items.filter((item) => {
    const problem = problemOf(item);
    if (!isLayered(problem)) {
      if (own?.declared !== undefined) refused['the simple RNN'].add(declaresLayers);
      return own?.declared === undefined;
    }
    const reason = own === undefined ? 'it runs the simple RNN only' : own.refuses?.(problem.model);
    if (reason !== undefined) refused.layers.add(reason);
    return reason === undefined;
  });
  const words = (problems: string, reason: string, are: string): string =>
    `${problems} ${are} not run on ${name}: ${reason}`;
  const notes = Object.entries(refused).flatMap(([about, tally]) => tally.notes(words, ` about ${about}`));
  return { chosen, notes };
}
