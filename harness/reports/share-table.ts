import { html, type Html } from './html';

/** How many of how many. */
export interface Share {
  readonly count: number;
  readonly of: number;
  /** whether anything short of all is a miss, to be seen as one */ readonly all?: boolean;
}

export interface ShareTableOptions {
  readonly caption: string;
  readonly columns: readonly { readonly name: string; readonly title?: string }[];
  readonly groups: readonly {
    readonly name: string;
    readonly rows: readonly {
      readonly name: string;
      /** what the name stands for, shown when it is pointed at */ readonly title?: string;
      readonly cells: readonly Share[];
    }[];
  }[];
}

/** Shares in per cent, as number and as colour, in groups of rows; what falls short where all was expected has the colour of a miss. */
export function shareTable({ caption, columns, groups }: ShareTableOptions): Html {
  return html`<div class="scroll">
    <table class="shares">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th></th>
          ${columns.map(({ name, title = name }) => html`<th scope="col" title="${title}">${name}</th>`)}
        </tr>
      </thead>
      ${groups.map(
        (group) =>
          html`<tbody>
            <tr>
              <th colspan="${columns.length + 1}" scope="rowgroup">${group.name}</th>
            </tr>
            ${group.rows.map(
              ({ name, title = name, cells }) =>
                html`<tr>
                  <th scope="row" title="${title}">${name}</th>
                  ${cells.map((cell, i) => shareCell(cell, columns[i].name))}
                </tr> `,
            )}
          </tbody>`,
      )}
    </table>
  </div>`;
}

function shareCell({ count, of, all = false }: Share, column: string): Html {
  const share = of === 0 ? 0 : count / of;
  const isMiss = all && count < of;
  const alpha = isMiss ? 0.25 + 0.4 * (1 - share) : 0.5 * share;
  const text = of === 0 || (count === 0 && !all) ? '' : String(Math.floor(100 * share));
  return html`<td
    style="background: rgba(var(${isMiss ? '--miss' : '--heat'}), ${alpha.toFixed(2)})"
    title="${column}: ${count} of ${of}"
  >
    ${text}
  </td>`;
}
