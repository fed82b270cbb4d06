import { scoreOf } from '../../../harness/trial/report';
import { trialFormat, type TrialReport, type TrialRow } from '../../../harness/trial/index';

export const hostile = '<script>alert(1)</script>';

function row(name: string, change: Partial<TrialRow>): TrialRow {
  return {
    ...{ name, fault: `fault ${hostile}`, family: 'carry', phase: 'backward', singleStep: false },
    ...{ planted: 15, caught: 15, byResults: 15, bySteps: 14, byProbe: 0, byRepeat: 15, byTraining: 0 },
    ...{ byReferee: 15, localised: 15, sideNamed: 15, sideWrong: 0, scratchNamed: 15, scratchWrong: 0 },
    ...{ kindNamed: 15, kindAlone: 15, kindWrong: 0 },
    ...change,
  };
}

/** A trial that nobody ran: one fault of every group of the matrix, one of them caught only twice in three times. */
export function syntheticTrial(): TrialReport {
  const rows = [
    row('steps/forward-next-input', { phase: 'forward', family: 'wrong-time-step' }),
    row('loss/one-hot-missing', { phase: 'loss', family: 'loss' }),
    row('carry/dropped', { caught: 10, byResults: 10, localised: 9 }),
    row(`step/${hostile}`, { singleStep: true }),
    row('adam/root-forgotten', { phase: 'update', family: 'optimizer', byResults: 0, byTraining: 15 }),
  ];
  const harmless = { planted: 15, caught: 0, blamed: 0, kindWrong: 0 };
  const equivalents = [{ name: 'equivalent/other-order', why: 'a + b = b + a', ...harmless }];
  const heldOut = [{ name: 'held out/noise', why: hostile, ...harmless, caught: 15, blamed: 15 }];
  return {
    ...{
      format: trialFormat,
      version: '0',
      seed: 1,
      shapes: 5,
      seeds: 3,
      seconds: 61,
      break: 100,
      exitCode: 1,
    },
    hosts: ['tfjs:cpu', hostile],
    notRun: [{ name: 'graph', reason: hostile }],
    rows,
    perHost: [{ name: hostile, planted: 75, caught: 70, localised: 69, sideNamed: 75, kindNamed: 75 }],
    ...{ equivalents, heldOut },
    misses: [`carry/dropped on ${hostile}: not caught`],
    score: scoreOf(rows, equivalents, heldOut),
  };
}
