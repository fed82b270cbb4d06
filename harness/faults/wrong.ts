/** The methods of a class: one an equation. */
type Equation<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never;
}[keyof T];

/** What a wrong equation may use: the object that it is an equation of, and the right equation. */
export interface Around<T, F> {
  readonly own: T;
  readonly right: F;
}

/** The equations that are wrong, by name: each is given what is around it, then what the right one is given. */
export type Wrong<T> = {
  readonly [K in Equation<T>]?: T[K] extends (...args: infer A) => infer R
    ? (around: Around<T, T[K]>, ...args: A) => R
    : never;
};

type Plain = (...args: unknown[]) => unknown;

/** The class with these equations wrong, and every other right. */
export function withWrong<T extends object, C extends new (...args: never[]) => T>(
  base: C & (new (...args: never[]) => T),
  wrong: Wrong<T>,
): C {
  const own = class extends (base as unknown as new (...args: unknown[]) => object) {};
  for (const [name, equation] of Object.entries<unknown>(wrong)) {
    const right = Reflect.get(base.prototype as object, name) as Plain;
    Object.defineProperty(own.prototype, name, {
      value(this: T, ...args: unknown[]): unknown {
        return (equation as Plain)({ own: this, right: right.bind(this) }, ...args);
      },
    });
  }
  return own as unknown as C;
}
