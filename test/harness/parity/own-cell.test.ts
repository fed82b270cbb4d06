import { expect } from 'chai';
import { assertParity, EquationError } from '../../../harness/index';
import { formatSummary, runParity } from '../../../harness/parity/index';
import { generatedLayered, modelOfCell } from '../../../harness/problems/index';
import { ownCell as equations, ownCellCandidate, type ownCellMistakes } from '../../support/own-cell';

describe("harness/parity: a user's own cell", () => {
  it('holds a candidate to the formulas alone, forward and backward', async () => {
    const report = await assertParity(ownCellCandidate(), { equations });
    expect(report.verdict).to.equal('parity');
    expect(report.cases.filter(({ caseId }) => caseId.endsWith('step by step')).length).to.equal(12);
  });

  const begins = (pass: string, place = ''): string =>
    `begins in the ${pass} pass: layer 1 coupled peephole, ${place}`;
  /** Where each mistake is found, and what the formulas call it where they have a name for it. */
  const found: Readonly<Record<keyof typeof ownCellMistakes, readonly string[]>> = {
    'the output gate looks at the cell state before': [
      begins('forward'),
      'looks like: z2_t: c_(t-1) instead of c_t',
    ],
    'the input gate keeps instead of 1 - i': [begins('forward')],
    'dc lacks what arrives through the peephole of the output gate': [
      begins('backward'),
      'looks like: dc_t: the term dz2_t ∘ peephole[o] is forgotten',
    ],
    'the gradient of the output peephole is made with the cell state before': [
      begins('backward', 'gate o, gradients.peephole'),
      'looks like: dpeephole[o]: c_(t-1) instead of c_t',
    ],
  };
  for (const [mistake, sentences] of Object.entries(found)) {
    it(`finds, and says where: ${mistake}`, async () => {
      const report = await runParity({
        candidate: ownCellCandidate(mistake as keyof typeof found),
        problems: [0, 1, 2].map((i) => generatedLayered(modelOfCell(equations), 1, i)),
        diagnoses: 1,
      });
      expect(report.verdict).to.equal('mismatch');
      for (const sentence of sentences) expect(formatSummary(report)).to.include(sentence);
      expect(report.diagnoses[0].side).to.equal('mine');
      // what a layer gives out is not wrong because of itself
      expect(report.diagnoses[0].inherited).not.to.include('sequences.layer1.h');
    });
  }

  it('points at the line and column of a formula that cannot be read', async () => {
    const wrong = { ...equations, equations: 'h_t = tanh(x_t · kernle)' };
    const error: unknown = await assertParity(ownCellCandidate(), { equations: wrong }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(EquationError);
    expect(String(error)).to.match(/line 1, column \d+/);
  });
});
