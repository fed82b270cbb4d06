/** The sign between whole part and fraction. */
export type Decimal = '.' | ',';

const forms: Readonly<Record<Decimal, RegExp>> = {
  '.': /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/,
  ',': /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/,
};

/** Reads a decimal number strictly: no empty text, no `0x10`, no thousands separators. Undefined when it is not a finite number. */
export function parseNumber(text: string, decimal: Decimal = '.'): number | undefined {
  const trimmed = text.trim();
  if (!forms[decimal].test(trimmed)) return undefined;
  const value = Number(decimal === ',' ? trimmed.replace(',', '.') : trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * The class that a label names: its text without white space at the ends. Labels that are equal numbers are one class, so a whole number
 * is named by its digits: `1`, `1.0` and `01` are class `1`.
 */
export function className(label: string, decimal: Decimal = '.'): string {
  const text = label.trim();
  const value = parseNumber(text, decimal);
  return value !== undefined && Number.isSafeInteger(value) ? String(value + 0) : text;
}

/** The first name of a class that a label cannot tell from one before it. */
export function classNamedTwice(names: readonly string[]): string | undefined {
  const known = names.map((name) => className(name));
  return names.find((_, i) => known.indexOf(known[i]) < i);
}
