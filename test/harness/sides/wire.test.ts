import { expect } from 'chai';
import { layeredSuite, makeProblem } from '../../../harness/problems/index';
import { referenceAnswer } from '../../../harness/sides/index';
import { readAnswered, readAsked, writeAnswered, writeAsked } from '../../../harness/sides/page/index';
import { namedTensors } from '../../../harness/judge/index';

// What travels between Node and a page must arrive bit for bit: an error of the way would be blamed on the device.
describe('the wire between Node and a page', () => {
  const plain = makeProblem({
    ...{ id: 'plain', seed: 5, batch: 2, timeSteps: 3, features: 2, units: 3, classes: 2, scale: 1 },
    ...{ labels: true, upstreamStates: true, upstreamFinalState: true, initialState: true, mask: true },
  });
  const problems = [plain, ...layeredSuite(2)];

  it('carries problems about the simple RNN and about layers unchanged', () => {
    for (const problem of problems)
      expect(readAsked(writeAsked({ id: 4, side: 'browser:webgl', problem })), problem.id).to.deep.equal({
        ...{ id: 4, side: 'browser:webgl', problem },
      });
  });

  it('carries answers unchanged, NaN, infinities and -0 as well', () => {
    for (const problem of problems) {
      const answer = referenceAnswer(problem);
      const [first] = namedTensors(answer).values();
      first.data.set([NaN, -Infinity, -0]);
      const text = writeAnswered({ id: 4, side: 'browser:webgl', problem }, answer);
      const back = readAnswered(text, () => problem);
      if (!('answer' in back)) throw new Error('no answer');
      const sent = namedTensors(answer);
      expect([...namedTensors(back.answer).keys()].sort(), problem.id).to.deep.equal([...sent.keys()].sort());
      for (const [name, { data, shape }] of namedTensors(back.answer)) {
        expect(shape, name).to.deep.equal(sent.get(name)?.shape);
        expect(
          [...data].every((x, i) => Object.is(x, sent.get(name)?.data[i])),
          name,
        ).to.equal(true);
      }
    }
  });

  it('carries what a side threw, and refuses an answer to nothing that was asked', () => {
    const asked = { id: 4, side: 'browser:webgl', problem: plain };
    const thrown = writeAnswered(asked, { message: 'context lost', trace: 'at x' });
    expect(readAnswered(thrown, () => plain)).to.deep.equal({
      id: 4,
      message: 'context lost',
      trace: 'at x',
    });
    expect(() => readAnswered(thrown, () => undefined)).to.throw('problem 4, which was not asked');
    expect(() => readAnswered('{}', () => plain)).to.throw('problem undefined, which was not asked');
  });
});
