import type { Block, Cell, Document, Table } from './document';

/** A document in GitHub's Markdown, without its charts; details are in sight. */
export function markdownOf({ title, subtitle, sections, footer }: Document): string {
  const blocks = [
    `# ${title}`,
    ...(subtitle === undefined ? [] : [plain(subtitle)]),
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      ...(section.intro === undefined ? [] : [section.intro]),
      ...section.blocks.flatMap(blockText),
    ]),
    ...(footer === undefined ? [] : [footer]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function blockText(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return [`### ${block.text}`];
    case 'paragraph':
      return [block.text];
    case 'code':
      return [`\`\`\`\n${block.text}\n\`\`\``];
    case 'list':
      return [block.items.map((item) => `- ${item}`).join('\n')];
    case 'table':
      return [tableText(block)];
    case 'row':
      return block.blocks.flatMap(blockText);
    case 'fold':
      return [`### ${block.summary}`, ...block.blocks.flatMap(blockText)];
    case 'figure':
    case 'gallery':
      return [];
  }
}

function tableText({ head, groups }: Table): string {
  const line = (cells: readonly Cell[]): string =>
    `| ${cells.map((cell) => plain(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  const rows = groups.flatMap((group) => [
    ...(group.title === undefined ? [] : [[group.title]]),
    ...group.rows,
  ]);
  const names = head ?? rows.at(0)?.map(() => '') ?? [];
  return [line(names), line(names.map(() => '---')), ...rows.map(line)].join('\n');
}

const plain = (cell: Cell): string => (typeof cell === 'object' ? (cell.plain ?? cell.text) : String(cell));
