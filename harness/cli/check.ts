import type { Command } from 'commander';
import type { OptimizerConfig } from '../../scratch/index';
import { UsageError, type Outcome } from '../base/outcome';
import { refuseIdle, type DefineCommand } from './command';
import * as options from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

interface Flags extends options.StateFlags {
  readonly inputs?: string;
  readonly expected?: string;
  readonly sides?: string[];
  readonly until?: string;
  readonly forwardOnly?: boolean;
  readonly trainSteps?: number;
  readonly optimizer?: OptimizerConfig;
  readonly python?: string;
  readonly timeout?: number;
  readonly seed: number;
  readonly json?: JsonFlag;
  readonly html?: string;
  readonly junit?: string;
}

/** `rnn-parity check` */
export const defineCheck: DefineCommand = (program, finish) => {
  program
    .command('check')
    .description('open a model of your own, run it on every engine, and say where it first differs and why')
    .argument('<model>', options.modelFileText)
    .option(
      '--inputs <file>',
      '.npz with the array inputs (or one by the name of each input); it may hold outputs as well',
    )
    .option('--expected <file>', '.npz with the array outputs: what another program gives for these inputs')
    .addOption(options.option('--sides <list>', 'sides that must run (default: all there are)', options.list))
    .addOption(options.nonlinearityOption())
    .addOption(options.stepsOption())
    .option('--until <layer>', 'check only what comes before the layer of this name')
    .option('--forward-only', 'compare no gradients')
    .addOption(
      options.option('--train-steps <n>', 'compare so many training steps as well', options.whole(1)),
    )
    .addOption(
      options.option(
        '--optimizer <settings>',
        'of the training steps: sgd or adam, with settings (default: adam), for example adam:learningRate=0.01:epsilon=1e-8',
        options.optimizer,
      ),
    )
    .addOption(options.pythonOption('for the sides keras, torch and onnxruntime'))
    .addOption(options.frameworkTimeoutOption())
    .addOption(options.seedOption('of generated inputs'))
    .addOption(options.jsonOption('the report'))
    .option('--html <file>', 'the report as a page')
    .option('--junit <file>', 'the report as JUnit XML')
    .addHelpText(
      'after',
      `
${options.exitText}.

Examples:
  rnn-parity check lstm.keras
  rnn-parity check lstm.onnx --inputs mine.npz --sides tfjs:wasm,twin:wasm
  rnn-parity check gru.safetensors --steps last --html check.html
  rnn-parity check lstm.keras --train-steps 3 --optimizer adam:epsilon=1e-7:form=keras`,
    )
    .action(async (model: string, flags: Flags, command: Command) => {
      if (flags.inputs !== undefined && flags.forwardOnly === true)
        refuseIdle(
          command,
          'with --inputs and --forward-only',
          flags.trainSteps === undefined ? ['seed'] : [],
        );
      if (flags.trainSteps === undefined) refuseIdle(command, 'without --train-steps', ['optimizer']);
      if (flags.sides !== undefined)
        options.refuseIdlePython(command, '--sides', flags.sides, ['python', 'timeout']);
      finish(await check(model, flags));
    });
};

async function check(file: string, flags: Flags): Promise<Outcome> {
  const { checkDocument, checkJunit, checkModel, formatCheck, parseModelSides, readInputs, readOutputs } =
    await import('../check/index.js');
  const { openModelFile } = await import('../models/index.js');
  const { htmlOf } = await import('../reports/index.js');
  const { version } = await import('../base/version.js');
  const html = outputOf('--html', flags.html, 'Check of ');
  const junit = outputOf('--junit', flags.junit, '<testsuites name="rnn-parity check"');
  await checkOutputs([...outputOf('--json', flags.json, 'rnn-parity-check/'), ...html, ...junit]);
  if (flags.optimizer !== undefined) {
    const { resolveOptimizer } = await import('../../scratch/index.js');
    try {
      resolveOptimizer({ optimizer: flags.optimizer });
    } catch (error) {
      throw new UsageError(`--optimizer: ${(error as Error).message}`, { cause: error });
    }
  }
  const { until, nonlinearity, steps } = flags;
  const model = await openModelFile(file, { until, nonlinearity, steps });
  const given = flags.inputs === undefined ? undefined : await readInputs(flags.inputs, model);
  const expected = flags.expected === undefined ? given?.outputs : await readOutputs(flags.expected, model);
  const report = {
    ...(await checkModel(model, {
      inputs: given?.inputs,
      expected,
      sides: flags.sides === undefined ? undefined : parseModelSides(flags.sides),
      seed: flags.seed,
      forwardOnly: flags.forwardOnly,
      trainSteps: flags.trainSteps,
      optimizer: flags.optimizer,
      python: flags.python,
      timeoutSeconds: flags.timeout,
      file,
      progress: (line) => process.stderr.write(`${line}\n`),
    })),
    file,
  };
  return withJson(
    { exitCode: report.exitCode, text: formatCheck(report), json: report, summarizes: true },
    flags.json,
    [
      [junit, () => checkJunit(report)],
      [html, () => htmlOf({ ...checkDocument(report), footer: `rnn-parity ${version}` })],
    ],
  );
}
