import type { Block, Cell, Document, Section, Table } from './document';

const plain = (cell: Cell): string => (typeof cell === 'object' ? (cell.plain ?? cell.text) : String(cell));

/** A document for a terminal, without its charts and details. */
export function textOf({ subtitle, sections }: Pick<Document, 'subtitle' | 'sections'>): string {
  const head = subtitle === undefined ? [] : [plain(subtitle)];
  return [...head, ...sections.map(sectionText).filter((text) => text !== '')].join('\n\n');
}

function sectionText({ title, intro, blocks }: Section): string {
  const body = blocksText(blocks);
  if (body === '' && intro === undefined) return '';
  return [title, ...(intro === undefined ? [] : [intro]), body].filter((text) => text !== '').join('\n');
}

/** Blocks for a terminal: a heading has an empty line before it. */
export function blocksText(blocks: readonly Block[]): string {
  return blocks.flatMap(blockLines).join('\n');
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return ['', block.text];
    case 'paragraph':
    case 'code':
      return [block.text];
    case 'list':
      return block.items.map((item) => `  ${item}`);
    case 'table':
      return tableLines(block);
    case 'row':
      return block.blocks.flatMap(blockLines);
    case 'figure':
    case 'fold':
    case 'gallery':
      return [];
  }
}

/** Columns padded to their widest cell; a column of numbers stands at the right. */
export function tableLines({ head, caption, groups }: Table): string[] {
  const lines = groups.flatMap(({ rows }) => rows);
  const all = [...(head === undefined ? [] : [head]), ...lines].map((cells) => cells.map(plain));
  const columns = Math.max(0, ...all.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...all.map((cells) => (cells[i] ?? '').length)),
  );
  const isRight = widths.map((_, i) => i > 0 && lines.every((cells) => isNumber(cells[i] ?? '')));
  const aligned = (cells: readonly Cell[]): string =>
    `  ${widths.map((width, i) => plain(cells[i] ?? '')[isRight[i] ? 'padStart' : 'padEnd'](width)).join('  ')}`.trimEnd();
  return [
    ...(caption === undefined ? [] : [caption]),
    ...(head === undefined ? [] : [aligned(head)]),
    ...groups.flatMap(({ title, rows }) => [...(title === undefined ? [] : [title]), ...rows.map(aligned)]),
  ];
}

/** `764`, `934,981`, `98 %`, `>1e6 times`, `-`: what is read from its end. */
function isNumber(cell: Cell): boolean {
  return /^(-|[-+>]?[\d,.]+(e[-+]?\d+)?( %| times)?)?$/.test(plain(cell));
}
