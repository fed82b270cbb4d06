import type { AnyProblem, Evaluation } from '../../base/problem';
import type { SideCharts } from '../html/chart-data';
import type { CaseVerdict } from '../../judge/index';
import type { BrowserSideFacts } from '../report';
import type { Collected } from '../side-run';
import type { PageExtent } from './cases';
import type { PageSide } from '../../sides/page/index';

/** What the page tells a side's worker: to run the suite, or to answer single problems. */
export type ToWorker =
  | {
      readonly type: 'run';
      readonly side: PageSide;
      readonly seed: number;
      readonly extent: PageExtent;
      readonly only?: string | undefined;
      /** a fault of the catalogue, planted into every answer: the harness tests itself */ readonly plant?:
        string | undefined;
      /** takes the device away after the first problem: the harness tests itself */ readonly lose?:
        boolean | undefined;
    }
  | { readonly type: 'read back'; readonly side: PageSide; readonly numbers: number }
  | {
      readonly type: 'answer';
      readonly side: PageSide;
      readonly id: number;
      readonly problem: AnyProblem;
    };

/** What a worker tells the page. */
export type FromWorker =
  | { readonly type: 'opened'; readonly version: string; readonly software: boolean }
  | { readonly type: 'unavailable'; readonly reason: string }
  | { readonly type: 'planned'; readonly total: number }
  | { readonly type: 'step'; readonly id: string }
  | {
      readonly type: 'done';
      readonly found: Collected;
      readonly charts: SideCharts | undefined;
      readonly facts: BrowserSideFacts;
    }
  | { readonly type: 'read'; readonly verdict: CaseVerdict }
  | { readonly type: 'answered'; readonly id: number; readonly answer: Evaluation }
  | { readonly type: 'threw'; readonly id?: number; readonly message: string; readonly trace: string };
