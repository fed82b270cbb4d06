/** Two digits in powers of ten: `4.5e-8`. */
export function short(x: number): string {
  return Number.isFinite(x) ? x.toExponential(1) : String(x);
}

/** A used share: `70 %` up to the whole, `3.2 times` beyond it, and never more than `more than 1e6 times`. */
export function percent(share: number): string {
  if (share > 1) return times(share);
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)} %`;
}

/** `1.25 times`, `2,500 times`, `more than 1e6 times`: beyond that a reader learns nothing from the digits. */
export function times(ratio: number): string {
  return `${capped(ratio)} times`;
}

/** A large number in at most seven digits: `3.2`, `2,500`, `more than 1e6`. */
export function capped(x: number): string {
  if (x > 1e6) return 'more than 1e6';
  return x >= 1000 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3)));
}

/** `1 case`, `290 cases`. */
export function count(n: number, what: string): string {
  return `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
}

/** An argument as a shell takes it in one piece. */
export function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : JSON.stringify(text);
}

// messages of candidates may hold line breaks, and commands to the terminal
const breaks = /[\s\u0000-\u001f\u007f-\u009f]+/g;

/** On one line, without control characters. */
export function oneLine(text: string): string {
  return text.replace(breaks, ' ').trim();
}

const controls = /[\t\r\n\u2028\u2029\u0000-\u001f\u007f-\u009f]+/g;

/** The same, but runs of spaces stay: indentation, and columns of a table. */
export function indentedLine(text: string): string {
  return text.replace(controls, ' ').trimEnd();
}

/** Each control character, and each that turns the direction of writing, as JSON writes it: a text that stays on its line. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const short = JSON.stringify(character).slice(1, -1);
    return short === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : short;
  });
}

/** At most `most` characters; what is cut is marked. */
export function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 3))}...`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}

const mostRuns = 6;

/** Ascending time steps as `time step 3`, `time steps 0-4, 7 and 9`; many runs are counted instead of listed to the end. */
export function stepsInWords(steps: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run !== undefined && step === run[1] + 1) run[1] = step;
    else runs.push([step, step]);
  }
  const shown = runs
    .slice(0, mostRuns)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  const rest = runs.slice(mostRuns).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return `time step${steps.length === 1 ? '' : 's'} ${listed(rest > 0 ? [...shown, `${rest} more`] : shown)}`;
}
