/** Computes at the first call, and gives the same result at every later one. */
export function once<T>(compute: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: compute() }).value;
}

/**
 * Computes once for each object, and gives the same result for it as long as the object lives: several sides answer the same
 * problem, and what is derived from the problem alone (a weight probe, a float64 run, an error budget) is the same for all of them.
 * Objects are distinguished by identity; what is derived from one must not change afterwards.
 */
export function memoize<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = known.get(key);
    if (entry === undefined) {
      entry = { value: compute(key) };
      known.set(key, entry);
    }
    return entry.value;
  };
}

/** Keeps what was made for the keys that were asked for last, at most so many. */
export function recently<V>(most: number): (key: string, make: () => V) => V {
  const kept: { readonly key: string; readonly value: V }[] = [];
  return (key, make) => {
    const at = kept.findIndex((one) => one.key === key);
    const found = at < 0 ? { key, value: make() } : kept.splice(at, 1)[0];
    kept.unshift(found);
    kept.length = Math.min(kept.length, most);
    return found.value;
  };
}

/** Computes once for each number, and gives the same result at every later call. */
export function memoizeByNumber<V>(compute: (n: number) => V): (n: number) => V {
  const known = new Map<number, { readonly value: V }>();
  return (n) => {
    const entry = known.get(n) ?? { value: compute(n) };
    known.set(n, entry);
    return entry.value;
  };
}
