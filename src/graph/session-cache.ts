import type { GraphSession } from './session';

/** Open sessions under a key, at most so many: the one not used for longest is closed first. */
export class SessionCache<E extends { readonly session: GraphSession }> {
  /** the last used is the last in the map's order */ private readonly entries = new Map<string, E>();

  constructor(private readonly most: number) {}

  get(key: string, open: () => E): E {
    const entry = this.entries.get(key) ?? open();
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > this.most) {
      const [oldest, { session }] = this.entries.entries().next().value as [string, E];
      session.dispose();
      this.entries.delete(oldest);
    }
    return entry;
  }

  /** Closes all of them; the next `get` opens new ones. */
  dispose(): void {
    for (const { session } of this.entries.values()) session.dispose();
    this.entries.clear();
  }
}
