import type { FromWorker } from './messages';
import { SideWorker } from './side-worker';
import { pageSides, readAsked, writeAnswered, type Asked } from '../../sides/page/index';

/**
 * Answers problems that Node asks, one after the other, until there are no more: Node examines and judges a side that runs here.
 *
 * @param say shows what it is doing
 */
export async function answerProblems(say: (line: string) => void): Promise<void> {
  const workers = new Map<string, SideWorker>();
  const pending = new Map<number, (message: FromWorker) => void>();
  const workerOf = (name: string): SideWorker => {
    let worker = workers.get(name);
    if (worker === undefined) {
      worker = new SideWorker((message) => {
        if (message.type !== 'answered' && message.type !== 'threw') return;
        // a worker that ended answers nothing that was asked of it
        const waiting = message.id === undefined ? [...pending.keys()] : [message.id];
        for (const id of waiting) pending.get(id)?.(message);
        if (message.id === undefined) workers.delete(name);
      });
      workers.set(name, worker);
    }
    return worker;
  };
  const answer = (asked: Asked): Promise<FromWorker> => {
    const side = pageSides.find(({ name }) => name === asked.side);
    if (side === undefined)
      return Promise.resolve({ type: 'threw', message: `there is no side ${asked.side}`, trace: '' });
    const worker = workerOf(asked.side);
    return new Promise((resolve) => {
      pending.set(asked.id, (message) => {
        pending.delete(asked.id);
        worker.rest();
        resolve(message);
      });
      worker.tell({ type: 'answer', id: asked.id, side, problem: asked.problem });
    });
  };
  let count = 0;
  let body = '';
  for (;;) {
    const response = await fetch('next', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    if (response.status === 204) {
      body = '';
      continue;
    }
    if (!response.ok) break;
    const asked = readAsked(await response.text());
    say(`Answering problem ${++count} of rnn-parity: ${asked.side}`);
    const heard = await answer(asked);
    body = writeAnswered(
      asked,
      heard.type === 'answered'
        ? heard.answer
        : heard.type === 'threw'
          ? { message: heard.message, trace: heard.trace }
          : { message: 'no answer', trace: '' },
    );
  }
  say(`rnn-parity has no more problems. ${count} were answered.`);
  for (const worker of workers.values()) worker.end();
}
