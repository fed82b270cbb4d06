import type { AnyProblem, Evaluation } from '../../base/problem';
import type { SideCharts } from '../html/chart-data';
import type { CaseVerdict } from '../../judge/index';
import type { BrowserSideFacts } from '../report';
import type { Collected } from '../collected';
import type { PageConfig } from './config';
import type { PageSide } from '../../sides/page/index';

/** What the page tells a side's worker: to run the suite, or to answer single problems. */
export type ToWorker =
  | { readonly type: 'run'; readonly side: PageSide; readonly config: PageConfig }
  | { readonly type: 'read back'; readonly side: PageSide; readonly numbers: number }
  | {
      readonly type: 'answer';
      readonly side: PageSide;
      readonly id: number;
      readonly problem: AnyProblem;
    };

/** What a worker tells the page. */
export type FromWorker =
  | {
      readonly type: 'opened';
      readonly version: string;
      readonly software: boolean;
      /** milliseconds that it took */ readonly opened: number;
    }
  | { readonly type: 'unavailable'; readonly reason: string }
  | { readonly type: 'step'; readonly id: string }
  | {
      readonly type: 'done';
      readonly found: Collected;
      readonly charts: SideCharts | undefined;
      readonly facts: BrowserSideFacts;
    }
  | { readonly type: 'read'; readonly verdict: CaseVerdict }
  | { readonly type: 'answered'; readonly id: number; readonly answer: Evaluation; readonly version: string }
  /** its device gave no sign of life */
  | { readonly type: 'silent'; readonly seconds: number }
  | { readonly type: 'threw'; readonly id?: number; readonly message: string; readonly trace: string };
