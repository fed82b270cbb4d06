/** Colours as variables, so that charts and text change together between light and dark. Contrast at least 4.5:1 for text. */
export const style = `
:root {
  --page: #ffffff; --card: #f6f7f9; --line: #d9dde3; --text: #1d232b; --soft: #57606c;
  --series-1: #1f6fd6; --series-2: #c2410c; --series-3: #15803d; --series-4: #7e3ff2; --series-5: #a16207; --series-6: #be185d;
  --good: #15803d; --bad: #b91c1c; --heat: 31, 111, 214; --miss: 194, 65, 12;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #333c48; --text: #e6eaf0; --soft: #a3adba;
    --series-1: #6cb0ff; --series-2: #ff9a5c; --series-3: #5fd38a; --series-4: #b79bff; --series-5: #e6c04a; --series-6: #ff86bb;
    --good: #5fd38a; --bad: #ff8a8a; --heat: 108, 176, 255; --miss: 255, 154, 92;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 .5rem; font-size: 1.25rem; }
h3, figcaption strong { font-size: 1rem; }
p { max-width: 46rem; }
.subtitle, footer, figcaption, caption { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; }
.facts div { flex: 1 1 9rem; padding: .7rem .9rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts .good dd, .good { color: var(--good); } .facts .bad dd, .bad { color: var(--bad); }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); gap: 1.25rem; }
figure { margin: 1rem 0; min-width: 0; }
figcaption { font-size: .9rem; margin-bottom: .4rem; }
figcaption strong { display: block; color: var(--text); }
figure svg { display: block; max-width: 100%; height: auto; background: transparent; color: var(--text); overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; color: var(--text); }
.legend span::before { content: ''; display: inline-block; width: 1.4em; margin-right: .4em; vertical-align: .25em;
  border-top: .2em var(--dash, solid) var(--mark); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .75rem 0; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; } td.number { text-align: right; }
.grid { font-size: .75rem; } .grid th, .grid td { padding: .1rem .35rem; }
.grid td { text-align: right; } .grid th[scope=row] { color: var(--text); font-weight: 400; white-space: nowrap; }
.grid th[scope=rowgroup] { padding-top: 1rem; } .grid thead th { text-align: right; }
@media (max-width: 46rem) {
  .plain, .plain tbody, .plain tr, .plain td { display: block; overflow-wrap: anywhere; }
  .plain thead { display: none; } .plain tr { padding: .4rem 0; border-bottom: 1px solid var(--line); }
  .plain td { display: flex; gap: .8rem; padding: .1rem 0; border: 0; } .plain td.number { text-align: left; }
  .plain td:empty { display: none; }
  .plain td[data-column]::before { content: attr(data-column); flex: 0 0 8.5rem; color: var(--soft); }
}
code, pre { font-family: ui-monospace, monospace; font-size: .88em; }
pre { white-space: pre-wrap; padding: .8rem 1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 1rem; }
.gallery figure { margin: 0; } .gallery figcaption { font-size: .82rem; line-height: 1.35; margin: .35rem 0 0; }
.gallery img { width: 100%; image-rendering: pixelated; border: 1px solid var(--line); border-radius: .25rem; background: #fff; }
footer { margin-top: 3rem; font-size: .85rem; border-top: 1px solid var(--line); padding-top: .8rem; }
@media print { body { max-width: none; } section { break-inside: avoid-page; } }
`;
