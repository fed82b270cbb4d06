import { UsageError } from './outcome';

/** Whatever a reader of a report cannot see: control and format characters, and spaces of other widths. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** @throws UsageError for a name that is no line of visible text; `what` is how the message calls it */
export function checkVisible(name: string, what: string): void {
  const found = unseen.exec(name)?.[0];
  if (found === undefined) return;
  const point = found.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  throw new UsageError(
    `${what} is ${JSON.stringify(name)}, which holds a character that readers cannot see (U+${point}); a name in one line of visible text was expected.`,
  );
}

/** A text for a terminal: control characters but line ends and tabs, which could move the cursor or clear the screen, as in JSON. */
export const withoutControls = (text: string): string =>
  text.replace(/(?![\n\t])\p{Cc}/gu, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
