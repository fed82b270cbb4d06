import { expect } from 'chai';
import { toFloat16 } from '../../../../harness/faults/index';
import { evaluationOf, type Evaluation } from '../../../../harness/base/problem';
import { namedTensors } from '../../../../harness/judge/index';
import { extents, pageCases } from '../../../../harness/parity/page/cases';
import { judgeAsHalf } from '../../../../harness/parity/page/half';
import { verdictInWords } from '../../../../harness/parity/page/words';
import { conclude } from '../../../../harness/parity/conclude';
import { runSide } from '../../../../harness/parity/run-side';
import { referenceAnswer } from '../../../../harness/sides/index';

// Stands in for a phone without float32 textures: right but for the rounding of every number that it stores.
describe('a side in half precision', () => {
  const stored = (answer: Evaluation, change = (x: number): number => x): Evaluation =>
    evaluationOf(
      new Map(
        [...namedTensors(answer)].map(([name, { data, shape }]) => [
          name,
          { data: data.map((x) => toFloat16(change(x))), shape },
        ]),
      ),
    );
  const sideWith = (change?: (x: number) => number) => ({
    implementation: {
      name: 'browser:webgl:f16',
      precision: 'float32' as const,
      evaluate: (problem: Parameters<typeof referenceAnswer>[0]) => stored(referenceAnswer(problem), change),
    },
  });

  it('is wrong as single precision and right as half, and the page says so', async () => {
    const cases = await pageCases(2, extents.quick, 'shape/3-1');
    const open = sideWith();
    const half = await judgeAsHalf(open, cases);
    expect(half).to.deep.equal({ problems: cases.problems.length, wrong: 0 });
    const found = await runSide(open, true, cases, { diagnoses: 0 });
    const facts = { name: 'browser:webgl:f16', version: 'a test', software: true, flags: {}, complaints: [] };
    const report = conclude({
      ...found,
      ...{ seed: 2, only: 'shape/3-1', complete: false },
      browser: { userAgent: 'a test', sides: [{ ...facts, half, opened: 1, took: 2 }] },
    });
    expect(report.exitCode).to.equal(1);
    expect(verdictInWords(report)).to.include(
      'NO: webgl in half precision: computes in half precision (11 bits): wrong as single precision, right as half.',
    );
  });

  it('is wrong as half too where its numbers are off by 1 in 100', async () => {
    const cases = await pageCases(2, extents.quick, 'shape/3-1');
    const { problems, wrong } = await judgeAsHalf(
      sideWith((x) => x * 1.01),
      cases,
    );
    expect(wrong).to.be.above(0).and.at.most(problems);
  });
});
