import { html, page, table } from '../../reports/index';
import { version } from '../../base/version';
import type { TrialReport } from '../report';
import { verdictOf } from '../table';
import { trialFacts, trialSections } from './sections';

/** What the page is marked with, so that a later run knows that it may replace it. */
export const trialTitle = 'rnn-parity: the harness on trial';

/** The trial as one self-contained page that opens offline. */
export function trialPage(report: TrialReport, settings: readonly string[] = []): string {
  const { hosts, notRun, exitCode, seed, seconds } = report;
  const rows = [
    ['command', `rnn-parity trial ${settings.join(' ')}`.trim()],
    ['seed', String(seed)],
    ['hosts', hosts.join(', ')],
    ...notRun.map(({ name, reason }) => [`${name} did not run`, reason]),
    ['seconds', seconds.toFixed(0)],
    ['rnn-parity', version],
    ['Node.js', `${process.version}, ${process.platform} ${process.arch}`],
  ];
  return page({
    title: trialTitle,
    subtitle: html`<strong class="${exitCode === 0 ? 'good' : 'bad'}">${verdictOf(report)}</strong>`,
    facts: trialFacts(report),
    sections: [...trialSections(report), { title: 'Settings and versions', body: table({ rows }) }],
    footer: `rnn-parity ${version}, format ${report.format}. Every fault is a few readable lines in harness/faults/; docs/trial.md says how to read this page.`,
  });
}
