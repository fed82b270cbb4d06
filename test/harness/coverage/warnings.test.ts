import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020';
import { expect } from 'chai';
import { assertParity } from '../../../harness/parity/assert/index';
import type { Candidate } from '../../../harness/sides/candidate/index';
import { tfjsSide } from '../../../harness/sides/index';
import {
  formatJunit,
  formatReport,
  formatSummary,
  runParity,
  type ParityOptions,
  type ParityReport,
} from '../../../harness/parity/index';
import { parityPage } from '../../../harness/parity/html/index';
import { notebookVectors } from '../../../harness/problems/index';
import { rightAnswer } from '../../support/right-candidate';
import { strong, weak } from './weaknesses';

const right: Candidate = { name: 'mine', precision: 'float32', evaluate: (problem) => rightAnswer(problem) };
const vectors = [notebookVectors()];
const sides = [tfjsSide('cpu', true)];
const spotsOf = (report: ParityReport): string[] => (report.blindSpots ?? []).map(({ what }) => what);
const run = (options: ParityOptions): Promise<ParityReport> => runParity({ sides: [], ...options });

describe('warnings of what the input cannot show', () => {
  let report: ParityReport;
  before(async () => {
    report = await runParity({ vectors, sides });
  });

  it("the notebook's example as vectors: no gradients, zero initial state, positive inputs, equal biases, one example", () => {
    expect(spotsOf(report)).to.deep.equal([
      'no gradient asked for',
      'zero initial state',
      'one example',
      'no sign change of inputs',
      'equal weights',
      'below rounding',
      'absent parts',
    ]);
    expect(report).to.include({ verdict: 'parity', exitCode: 0 });
  });

  it('stand at the head of the text, a line each: weakness, mistakes, tensors, one mistake in words, what to change', () => {
    const lines = formatSummary(report).split('\n');
    expect(lines.slice(0, 5).every((line) => line.startsWith('warning: '))).to.equal(true);
    expect(lines[3]).to.equal(
      'warning: no input is negative (0.01 to 0.04): 2 mistakes do not show in finalState, gradients.kernel (one: negative inputs are taken for zero, as behind a ReLU); give inputs of both signs',
    );
    expect(lines[5]).to.equal('... and 2 more (--verbose shows them)');
    expect(lines[6]).to.match(/^ {2}side +cases/);
    expect(lines.at(-1)).to.match(/^PARITY/);
  });

  it('are counted where there are more than six', () => {
    const warnings = Array.from({ length: 20 }, (_, i) => `blind ${i}`);
    const lines = formatSummary({ ...report, warnings }).split('\n');
    expect(lines.slice(4, 7)).to.deep.equal([
      'warning: blind 4',
      '... and 15 more (--verbose shows them)',
      lines[6],
    ]);
  });

  it('are in the JSON report as data, as the schema says, in JUnit XML, and on the page', async () => {
    const schema = JSON.parse(readFileSync('docs/schemas/parity-report.schema.json', 'utf8')) as object;
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    const parsed = JSON.parse(formatReport(report)) as ParityReport;
    expect(validate(parsed), JSON.stringify(validate.errors)).to.equal(true);
    expect(parsed.blindSpots?.[1].hides).to.include('initial-state/ignored');
    expect(parsed.warnings.length).to.equal(parsed.blindSpots?.length);
    const said = 'warning: every example starts from a state of zeros';
    expect(formatJunit(report)).to.include(said);
    expect(await parityPage({ report, charts: [] })).to.include(said.slice('warning: '.length));
  });

  it('do not depend on the side: they are found before it is asked', async () => {
    const wrong: Candidate = { ...right, evaluate: () => ({}) };
    const problems = [weak['one example'].problem];
    const [one, other] = await Promise.all([right, wrong].map((candidate) => run({ problems, candidate })));
    expect(other.verdict).to.equal('mismatch');
    expect(spotsOf(one)).to.include('one example');
    expect(other.blindSpots).to.deep.equal(one.blindSpots);
    expect(formatSummary(other)).to.match(/^warning: /);
  });

  it('leave out masked problems that do not run on a candidate', async () => {
    const { mask: given, ...unmasked } = weak['zero initial state'].problem;
    expect(given).to.not.equal(undefined);
    const problems = [unmasked, strong];
    expect(spotsOf(await run({ problems, candidate: { ...right, masks: true } }))).to.deep.equal([]);
    expect(spotsOf(await run({ problems, candidate: right }))).to.deep.equal(['zero initial state']);
  });

  it('go by the precision of a candidate that is alone', async () => {
    const problems = [weak['small states'].problem];
    const hiddenIn = async (precision: Candidate['precision']): Promise<string[]> => {
      const { blindSpots = [] } = await run({ problems, candidate: { ...right, precision, masks: true } });
      return blindSpots.flatMap(({ hides }) => hides);
    };
    expect(await hiddenIn('float32')).to.include('slope/missing');
    expect(await hiddenIn('float64')).to.not.include('slope/missing');
  });

  it('assertParity returns them for problems of the user, and looks for none in its own suite of ordinary sizes', async () => {
    const problems = [weak['identical labels'].problem];
    const own = await assertParity({ ...right, masks: true }, { problems });
    expect(spotsOf(own)).to.include('identical labels');
    expect(spotsOf(await assertParity(right))).to.deep.equal([]);
    expect(spotsOf(await assertParity(right, { sizes: { units: 1 } }))).to.deep.equal(['one unit']);
  });
});
