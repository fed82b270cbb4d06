import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Words that English-speaking readers stumbled over, and what stands for them now. */
const odd: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\b(?:is|are|was|were|be) told\b|\btold (?:right|from)\b|\bto be told\b/, 'reported, distinguished'],
  [/\bmend(?:s|ed|ing)?\b/i, 'fix'],
  [/\b(?:nobody|somebody)\b/i, 'the actor by name'],
  [/\bin place of\b/i, 'instead of'],
  [/\bbeside\b/i, 'alongside, next to; besides'],
  [/\bliked\b|\bnasty\b/i, 'hand-picked, adversarial'],
  [/\baccus(?:e|es|ed|ing|ation)\b/i, 'blame'],
  [/\bhad from\b/i, 'obtained from'],
  [/\bput to\b/i, 'run on'],
];

/** The texts of a file that people read: everything of a document, comments and strings of a program. */
function textsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.md')) return text.split('\n');
  const pieces = text.match(
    /\/\*[^]*?\*\/|(?<!:)\/\/.*|#.*|"""[^]*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
  );
  return (pieces ?? []).flatMap((piece) => piece.split('\n'));
}

describe('the words of messages, comments and documents', () => {
  it('are plain English', () => {
    const files = ['scratch', 'src', 'harness', 'docs', 'test/support', '.'].flatMap((room) =>
      readdirSync(room, { recursive: room !== '.', encoding: 'utf8' }).map((name) => path.join(room, name)),
    );
    // docs/bptt.md has a voice of its own; the change log quotes what was
    const read = files.filter(
      (file) => /\.(?:ts|cjs|mjs|py|md)$/.test(file) && !['docs/bptt.md', 'CHANGELOG.md'].includes(file),
    );
    expect(read).to.include.members(['README.md', 'docs/parity.md', 'harness/sides/python/lines.py']);
    const found = read.flatMap((file) =>
      textsOf(file).flatMap((line) =>
        odd
          .filter(([word]) => word.test(line))
          .map(([word, instead]) => `${file}: ${line.trim()}  (${word.source}: ${instead})`),
      ),
    );
    expect(found).to.deep.equal([]);
  });
});
