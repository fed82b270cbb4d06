/** A piece of a formula, and where it begins. */
export interface Token {
  readonly kind: 'name' | 'now' | 'before' | 'number' | 'sign' | 'end';
  /** name without its time step, number as written, or the sign in one spelling */ readonly text: string;
  /** offset in the text, counted from 0 */ readonly at: number;
}

/** Signs in every spelling that is taken, and the one that is used from here on. */
const spellings: Readonly<Record<string, string>> = {
  '·': '·',
  '@': '·',
  '∙': '·',
  '∘': '∘',
  '*': '∘',
  '⊙': '∘',
  '−': '-',
  '–': '-',
  "'": 'ᵀ',
  '^T': 'ᵀ',
  '.T': 'ᵀ',
};

/** A letter; ᵀ is one of the others (Lm). */
const letter = String.raw`[\p{Lu}\p{Ll}\p{Lt}\p{Lo}]`;
const identifier = String.raw`(${letter}(?:${letter}|[\p{M}\p{N}_])*)`;

const patterns: readonly { kind: Token['kind'] | 'space'; pattern: RegExp }[] = [
  { kind: 'space', pattern: /[^\S\n]+|(?:#|\/\/)[^\n]*/uy },
  // h_(t-1), h_{t-1}; the name may hold underscores: W_f
  {
    kind: 'before',
    pattern: new RegExp(String.raw`${identifier.replace('*)', '*?)')}_[({]\s*t\s*[-−–]\s*1\s*[)}]`, 'uy'),
  },
  {
    kind: 'now',
    pattern: new RegExp(String.raw`${identifier.replace('*)', '*?)')}_t(?!${letter}|[\p{M}\p{N}_])`, 'uy'),
  },
  { kind: 'name', pattern: new RegExp(identifier, 'uy') },
  { kind: 'number', pattern: /(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)/uy },
  { kind: 'sign', pattern: /(\^T|\.T|[-−–+·@∙∘*⊙=()[\],'ᵀ\n])/uy },
];

/**
 * Takes a text apart. A line goes on in the next one inside parentheses and where the next begins with an operator.
 *
 * @param refuse is called with what cannot be read, and throws
 */
export function tokensOf(text: string, refuse: (at: number, what: string) => never): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const found = patterns
      .map(({ kind, pattern }) => {
        pattern.lastIndex = at;
        return { kind, match: pattern.exec(text) };
      })
      .find(({ match }) => match !== null);
    if (found?.match === null || found === undefined)
      return refuse(at, `${JSON.stringify(text.slice(at, at + 1))} is no part of a formula; ${knownSigns}`);
    const { kind, match } = found;
    if (kind !== 'space' && match[1] in Object.prototype)
      refuse(at, `${match[1]} is a name that every object has already; choose another one`);
    if (kind !== 'space') tokens.push({ kind, text: spellings[match[1]] ?? match[1], at });
    at += match[0].length;
  }
  return [...joinLines(tokens), { kind: 'end', text: '', at: text.length }];
}

export const knownSigns =
  'formulas are made of + - · (or @) for products with a matrix, ∘ (or *) element by element, functions, numbers and parentheses';

/** Leaves a line's end only where an equation ends. */
function joinLines(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  let depth = 0;
  tokens.forEach((token, i) => {
    if (token.text === '(' || token.text === '[') depth++;
    if (token.text === ')' || token.text === ']') depth--;
    const next = tokens[i + 1] as Token | undefined;
    const goesOn = depth > 0 || (next?.kind === 'sign' && ['+', '-', '·', '∘'].includes(next.text));
    if (token.text !== '\n' || !goesOn) out.push(token);
  });
  return out;
}
