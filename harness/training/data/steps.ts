import { parseNumber, type Decimal } from '../../base/number-text';

/** What orders the rows of a sequence. */
export interface Step {
  readonly kind: 'number' | 'time stamp' | 'time stamp with zone';
  /** the number itself, or milliseconds since 1970 */ readonly value: number;
}

const stamp =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Reads a step: a number or an ISO 8601 time stamp. Text: what is wrong with it and how to fix it. */
export function parseStep(text: string, decimal: Decimal = '.'): Step | string {
  const trimmed = text.trim();
  const value = parseNumber(trimmed, decimal);
  if (value !== undefined) {
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return 'is above 2^53, where neighbouring whole numbers become equal; subtract the first one, or count 0, 1, 2 ...';
    return { kind: 'number', value };
  }
  const parts = stamp.exec(trimmed) as (string | undefined)[] | null;
  if (parts === null)
    return 'is not a finite number and not an ISO 8601 time stamp such as 2024-01-31 12:00:00; write one of these, or sort the rows and count the steps 0, 1, 2 ...';
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] = parts;
  const date = `${year ?? ''}-${month ?? ''}-${day ?? ''}`;
  const whole = new Date(`${date}T${hour}:${minute}:${second}Z`).getTime();
  if (!Number.isFinite(whole) || new Date(whole).toISOString().slice(0, 10) !== date)
    return 'is not a date of the calendar; correct it';
  if (/[1-9]/.test(fraction.slice(6)))
    return 'has nanoseconds, more digits than the order is computed with; sort the rows and count the steps 0, 1, 2 ...';
  const milliseconds = whole + Number(`0.${fraction.padEnd(1, '0')}`) * 1000;
  if (zone === undefined) return { kind: 'time stamp', value: milliseconds };
  const [, sign, hours, minutes] = /([+-])(\d\d):?(\d\d)/.exec(zone) ?? ['', '+', '0', '0'];
  if (Number(hours) > 23 || Number(minutes) > 59)
    return `has the time zone ${zone}, which is none; write one from -23:59 to +23:59`;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return {
    kind: 'time stamp with zone',
    value: milliseconds + (sign === '-' ? offset : -offset),
  };
}
