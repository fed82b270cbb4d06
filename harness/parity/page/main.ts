import { blocksHtml, type Block } from '../../reports/index';
import { plainJson, reportText } from '../report-text';
import { answerProblems, post } from './answering';
import { configFor, type PageConfig } from './config';
import {
  arithmeticTable,
  heatBlocks,
  sideTable,
  unseenBlocks,
  wrongBlocks,
  type PageState,
} from './sections';
import { Session } from './session';
import { deviceInWords, stateOf, verdictInWords } from './words';

const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
};

const given = JSON.parse(byId('config').textContent || '{}') as PageConfig;
const config = configFor(given, location.hash);
let state: PageState | undefined;
let posted = '';

/** Puts blocks into a section, and hides the section while there are none. */
async function show(id: string, blocks: readonly Block[]): Promise<void> {
  const section = byId(id);
  section.hidden = blocks.length === 0;
  const target = section.querySelector('div');
  if (target !== null) target.innerHTML = await blocksHtml(blocks);
}

/** What is asked of the drawing: only the last state counts. */
let drawing: Promise<void> = Promise.resolve();
let isAsked = false;

function draw(names: readonly string[]): void {
  if (isAsked) return;
  isAsked = true;
  drawing = drawing.then(() => {
    isAsked = false;
    return drawAll(names);
  });
}

async function drawAll(names: readonly string[]): Promise<void> {
  if (state === undefined) return;
  await show('sides', [sideTable(state, names)]);
  await show('wrong', wrongBlocks(state));
  await show('maps', heatBlocks(state));
  await show('arithmetic', arithmeticTable(state));
}

function say(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** While it runs: how far it is, and what is wrong so far. */
function sayProgress(now: PageState, names: readonly string[]): void {
  const done = names.filter((name) => stateOf(now.report, name) !== 'unfinished').length;
  const bad = now.report.cases.some(({ status }) => status === 'fail');
  say(
    'verdict',
    `Looking: ${done} of ${names.length} sides are done; ${bad ? 'something is wrong' : 'nothing is wrong so far'}.`,
  );
}

/** That no GPU has run is said at the end. */
function sayDevice({ report: { browser } }: PageState, isDone: boolean): void {
  const isKnown = browser?.sides.some(({ name }) => /webg/.test(name)) === true;
  if (browser !== undefined && (isKnown || isDone)) say('device', deviceInWords(browser));
}

async function text(): Promise<string> {
  if (state === undefined) throw new Error('nothing has run yet');
  return reportText(state.report);
}

function listenToButtons(): void {
  byId('copy').addEventListener('click', () => {
    void text()
      .then((json) => {
        const { clipboard } = navigator as { readonly clipboard?: Clipboard };
        if (clipboard === undefined)
          throw new Error('a page from this address has no clipboard; save the report instead');
        return clipboard.writeText(json);
      })
      .then(
        () => say('copied', 'The report is on the clipboard.'),
        (error: unknown) => say('copied', `It could not be copied: ${String(error)}`),
      );
  });
  byId('save').addEventListener('click', () => {
    void text().then(
      (json) => {
        const link = document.createElement('a');
        link.href = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
        link.download = 'rnn-parity-browser.json';
        link.click();
        URL.revokeObjectURL(link.href);
      },
      (error: unknown) => say('copied', `It could not be saved: ${String(error)}`),
    );
  });
}

async function runSuite(): Promise<void> {
  say('browser', navigator.userAgent);
  const session = new Session(config, (now, isStep) => {
    state = now;
    sayProgress(now, session.names);
    if (isStep) say('progress', progressInWords(now));
    else {
      draw(session.names);
      const line = byId('verdict').textContent;
      if (config.reports === true && line !== posted) void post('progress', (posted = line));
    }
    sayDevice(now, false);
  });
  await session.run();
  state = session.state();
  const { report } = state;
  sayDevice(state, true);
  say('verdict', verdictInWords(report));
  byId('verdict').className = report.verdict === 'parity' ? 'good' : 'bad';
  say('progress', '');
  await show('unseen', unseenBlocks(state));
  draw(session.names);
  await drawing;
  document.body.dataset.verdict = report.verdict;
  for (const id of ['copy', 'save']) byId(id).removeAttribute('disabled');
  if (config.reports !== true) return;
  await post('charts', plainJson(state.charts));
  await post('report', await text());
}

/** The server hears which pages are open, so that it does not wait for one that was closed. */
function reportOpening(): void {
  const id = crypto.randomUUID();
  void post('opened', id);
  addEventListener('pagehide', () => navigator.sendBeacon('closed', id));
}

function progressInWords({ progress }: PageState): string {
  const running = [...progress].filter(([, [done, all]]) => done > 0 && done < all);
  return running
    .map(([name, [done, all]]) => `${name.slice('browser:'.length)} ${done} of ${all}`)
    .join(' · ');
}

listenToButtons();
if (config.reports === true) reportOpening();
// a link to one case is a place on this page: it starts anew
addEventListener('hashchange', () => location.reload());
const work = config.answers === true ? answerProblems(config, (line) => say('verdict', line)) : runSuite();
work.catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  say('verdict', `ERROR: ${message}`);
  byId('verdict').className = 'bad';
  document.body.dataset.verdict = 'error';
  if (config.reports === true) void post('failed', JSON.stringify({ message }));
});
