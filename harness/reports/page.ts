import { html, raw, type Html, type HtmlPart } from './html';
import { style } from './style';

export interface Section {
  readonly title: string;
  /** one or two sentences below the title */ readonly intro?: HtmlPart;
  readonly body: HtmlPart;
}

export interface PageOptions {
  readonly title: string;
  /** one line below the title */ readonly subtitle?: HtmlPart;
  /** the few numbers a reader wants first */ readonly facts?: readonly Fact[];
  readonly sections: readonly Section[];
  /** last line, for example versions */ readonly footer?: HtmlPart;
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly tone?: 'good' | 'bad';
}

/**
 * One self-contained HTML file: no script, no external resource (its own security policy forbids them), light or dark as the
 * reader's system is.
 */
export function page(options: PageOptions): string {
  const { title, subtitle, facts = [], sections, footer } = options;
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${subtitle === undefined ? undefined : html`<p class="subtitle">${subtitle}</p>`}
          ${facts.length === 0 ? undefined : html`<dl class="facts">${facts.map(factBox)}</dl>`}
        </header>
        <main>
          ${sections.map(
            (section) =>
              html`<section>
                <h2>${section.title}</h2>
                ${section.intro === undefined ? undefined : html`<p>${section.intro}</p>`} ${section.body}
              </section> `,
          )}
        </main>
        ${footer === undefined ? undefined : html`<footer>${footer}</footer>`}
      </body>
    </html> `.text
  }`;
}

function factBox({ label, value, tone }: Fact): Html {
  return html`<div${tone === undefined ? undefined : html` class="${tone}"`}><dt>${label}</dt><dd>${value}</dd></div>`;
}

export interface TableOptions {
  readonly head?: readonly HtmlPart[];
  readonly rows: readonly (readonly HtmlPart[])[];
  readonly caption?: string;
}

/** A table whose numeric cells (numbers, not strings) stand at the right. */
export function table({ head, rows, caption }: TableOptions): Html {
  const cell = (part: HtmlPart): Html =>
    typeof part === 'number' ? html`<td class="number">${part}</td>` : html`<td>${part}</td>`;
  return html`<div class="scroll">
    <table>
      ${
        caption === undefined
          ? undefined
          : html`<caption>
              ${caption}
            </caption>`
      }
      ${
        head === undefined
          ? undefined
          : html`<thead>
              <tr>
                ${head.map((part) => html`<th scope="col">${part}</th>`)}
              </tr>
            </thead>`
      }
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
