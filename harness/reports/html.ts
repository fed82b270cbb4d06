import { svgOf } from './chart';
import type { Block, Cell, Document, Fact, Figure, Mark, Picture, Section, Table } from './document';
import { style } from './style';

/** Text that is HTML already; made only by `html` and `raw`, so that anything else is escaped. */
class Html {
  constructor(readonly text: string) {}
}

type HtmlPart = Html | string | number | readonly HtmlPart[] | undefined;

/** A template whose strings are HTML and whose values are escaped unless they are Html; arrays are joined, undefined is nothing. */
function html(strings: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((text, string, i) => text + toText(values[i - 1]) + string));
}

const raw = (text: string): Html => new Html(text);

function toText(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(toText).join('');
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return String(part).replace(/[&<>"']/g, (character) => entities[character]);
}

const attribute = (name: string, value: string | undefined): Html | undefined =>
  value === undefined ? undefined : html` ${raw(name)}="${value}"`;

/**
 * One self-contained HTML file: no script, no external resource (its own security policy forbids them), light or dark as the
 * reader's system is.
 */
export async function htmlOf(document: Document): Promise<string> {
  const { title, subtitle, facts = [], sections, footer } = document;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${raw(policy)}" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${subtitle === undefined ? undefined : html`<p class="subtitle">${marked(subtitle)}</p>`}
          ${facts.length === 0 ? undefined : html`<dl class="facts">${facts.map(factBox)}</dl>`}
        </header>
        <main>${await Promise.all(sections.map(sectionOf))}</main>
        ${footer === undefined ? undefined : html`<footer>${footer}</footer>`}
      </body>
    </html> `.text
  }`;
}

async function sectionOf({ title, intro, blocks }: Section): Promise<Html> {
  return html`<section>
    <h2>${title}</h2>
    ${intro === undefined ? undefined : html`<p>${intro}</p>`} ${await blocksOf(blocks)}
  </section> `;
}

function factBox({ label, value, tone }: Fact): Html {
  return html`<div${attribute('class', tone)}><dt>${label}</dt><dd>${value}</dd></div>`;
}

/** Blocks as HTML text, for a page that is made while it is looked at. */
export async function blocksHtml(blocks: readonly Block[]): Promise<string> {
  return (await blocksOf(blocks)).map(({ text }) => text).join('');
}

function blocksOf(blocks: readonly Block[]): Promise<Html[]> {
  return Promise.all(blocks.map(async (block) => html`${await blockOf(block)} `));
}

async function blockOf(block: Block): Promise<Html> {
  switch (block.kind) {
    case 'heading':
      return html`<h3>${block.text}</h3>`;
    case 'paragraph':
      return html`<p${attribute('class', block.tone)}>${block.text}</p>`;
    case 'code':
      return html`<pre>${block.text}</pre>`;
    case 'list':
      return html`<ul>
        ${block.items.map((item) => html`<li>${item}</li>`)}
      </ul>`;
    case 'table':
      return tableOf(block);
    case 'figure':
      return figureOf(block);
    case 'row':
      return html`<div class="row">${await blocksOf(block.blocks)}</div>`;
    case 'fold':
      return html`<details>
        <summary>${block.summary}</summary>
        ${await blocksOf(block.blocks)}
      </details>`;
    case 'gallery':
      return html`<div class="gallery">${block.pictures.map(pictureOf)}</div>`;
  }
}

function pictureOf({ source, alt, caption }: Picture): Html {
  return html`<figure>
    <img alt="${alt}" src="${source}" />
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/** A chart by Observable Plot, rendered to SVG without a browser, with title, caption and legend. */
async function figureOf(figure: Figure): Promise<Html> {
  const { title, caption, legend = [] } = figure;
  const item = ({ name, color, dashed }: (typeof legend)[number]): Html =>
    html`<span style="--mark: ${color};${dashed === true ? ' --dash: dashed' : ''}">${name}</span>`;
  return html`<figure>
    <figcaption>
      <strong>${title}</strong
      >${caption}${legend.length === 0 ? undefined : html`<div class="legend">${legend.map(item)}</div>`}
    </figcaption>
    ${raw(await svgOf(figure))}
  </figure>`;
}

/** On a narrow screen a plain table becomes a block a row, each cell with the name of its column in front; a grid scrolls. */
function tableOf({ head, caption, groups, look }: Table): Html {
  const names = head?.map((one) => (typeof one === 'string' ? one : one.text)) ?? [];
  const columns = Math.max(names.length, ...groups.flatMap(({ rows }) => rows.map((cells) => cells.length)));
  const line = (cells: readonly Cell[]): Html =>
    html`<tr>
      ${cells.map((cell, i) => cellOf(cell, names.at(i), look === 'grid' && i === 0))}
    </tr> `;
  const body = ({ title, rows }: Table['groups'][number]): Html =>
    html`<tbody>
      ${
        title === undefined
          ? undefined
          : html`<tr>
              <th colspan="${columns}" scope="rowgroup">${title}</th>
            </tr> `
      }${rows.map(line)}
    </tbody> `;
  return html`<div class="scroll">
    <table class="${look ?? 'plain'}">
      ${
        caption === undefined
          ? undefined
          : html`<caption>
              ${caption}
            </caption> `
      }${
        head === undefined
          ? undefined
          : html`<thead>
              <tr>
                ${head.map((one) => html`<th scope="col" ${titleOf(one)}>${typeof one === 'string' ? one : one.text}</th>`)}
              </tr>
            </thead> `
      }${groups.map(body)}
    </table>
  </div>`;
}

function cellOf(cell: Cell, column: string | undefined, isHeader: boolean): Html {
  const mark: Mark = typeof cell === 'object' ? cell : { text: String(cell) };
  if (isHeader) return html`<th scope="row" ${titleOf(mark)}>${mark.text}</th>`;
  const [hue, opacity] = mark.shade ?? [];
  const shade =
    opacity === undefined ? undefined : `background: rgba(var(--${hue ?? 'heat'}), ${opacity.toFixed(2)})`;
  const kind = typeof cell === 'number' ? 'number' : mark.tone;
  return html`<td${attribute('class', kind)}${attribute('data-column', column)}${attribute('style', shade)}${titleOf(mark)}>${mark.href === undefined ? mark.text : html`<a href="${mark.href}">${mark.text}</a>`}</td>`;
}

const titleOf = (mark: string | Mark): Html | undefined =>
  typeof mark === 'string' ? undefined : attribute('title', mark.title);

function marked(mark: string | Mark): Html {
  if (typeof mark === 'string') return html`${mark}`;
  return html`<strong${attribute('class', mark.tone)}${titleOf(mark)}>${mark.text}</strong>`;
}
