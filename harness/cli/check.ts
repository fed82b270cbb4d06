import { Argument } from 'commander';
import { UsageError } from '../base/outcome';
import { defineCommand } from './command';
import * as options from './options';
import { openOutputs, say } from './outputs';

const { list, option, text, whole, yes } = options;

export const defineCheck = defineCommand({
  name: 'check',
  description: 'open a model of your own, run it on every engine, and say where it first differs and why',
  argument: new Argument('<model>', options.modelFileText),
  flags: {
    inputs: text(
      '--inputs <file>',
      '.npz with the array inputs (or one by the name of each input); it may hold outputs as well',
    ),
    expected: text(
      '--expected <file>',
      '.npz with the array outputs: what another program gives for these inputs',
    ),
    sides: option('--sides <list>', 'sides that must run (default: all there are)', list),
    ...options.stateFlags,
    until: text('--until <layer>', 'check only what comes before the layer of this name'),
    forwardOnly: yes('--forward-only', 'compare no gradients'),
    trainSteps: option('--train-steps <n>', 'compare so many training steps as well', whole(1)),
    optimizer: option(
      '--optimizer <settings>',
      'of the training steps: sgd or adam, with settings (default: adam), for example adam:learningRate=0.01:epsilon=1e-8',
      options.optimizer,
    ),
    python: options.pythonFlag('for the sides keras, torch and onnxruntime'),
    timeout: options.frameworkTimeout(),
    seed: options.seedFlag('of generated inputs'),
    json: options.jsonFlag('the report'),
    html: text('--html <file>', 'the report as a page'),
    junit: text('--junit <file>', 'the report as JUnit XML'),
  },
  help: `${options.exitText}.

Examples:
  rnn-parity check lstm.keras
  rnn-parity check lstm.onnx --inputs mine.npz --sides tfjs:wasm,twin:wasm
  rnn-parity check gru.safetensors --steps last --html check.html
  rnn-parity check lstm.keras --train-steps 3 --optimizer adam:epsilon=1e-7:form=keras`,
  async run(flags, command) {
    const { inputs, expected: file, forwardOnly, optimizer, sides, trainSteps } = flags;
    if (inputs !== undefined && forwardOnly === true && trainSteps === undefined)
      command.refuseIdle('with --inputs and --forward-only', 'seed');
    if (trainSteps === undefined) command.refuseIdle('without --train-steps', 'optimizer');
    if (sides !== undefined) options.refuseIdlePython(command, '--sides', sides, 'python', 'timeout');
    const { checkDocument, checkJunit, checkModel, formatCheck, parseModelSides, readInputs, readOutputs } =
      await import('../check/index.js');
    const { openModelFile } = await import('../models/index.js');
    const { htmlOf } = await import('../reports/index.js');
    const { version } = await import('../base/version.js');
    const outputs = await openOutputs(flags, {
      json: 'rnn-parity-check/',
      html: 'Check of ',
      junit: '<testsuites name="rnn-parity check"',
    });
    if (optimizer !== undefined) {
      const { resolveOptimizer } = await import('../../scratch/index.js');
      try {
        resolveOptimizer({ optimizer });
      } catch (error) {
        throw new UsageError(`--optimizer: ${(error as Error).message}`, { cause: error });
      }
    }
    const [name] = command.values;
    const { until, nonlinearity, steps, seed, python } = flags;
    const asked = sides === undefined ? undefined : parseModelSides(sides);
    const model = await openModelFile(name, { until, nonlinearity, steps });
    const given = inputs === undefined ? undefined : await readInputs(inputs, model);
    const found = await checkModel(model, {
      ...{ seed, forwardOnly, trainSteps, optimizer, python, file: name },
      inputs: given?.inputs,
      expected: file === undefined ? given?.outputs : await readOutputs(file, model),
      sides: asked,
      timeoutSeconds: flags.timeout,
      progress: say,
    });
    const report = { ...found, file: name };
    return outputs.outcome(
      { exitCode: report.exitCode, text: formatCheck(report), json: report, summarizes: true },
      {
        junit: () => checkJunit(report),
        html: () => htmlOf({ ...checkDocument(report), footer: `rnn-parity ${version}` }),
      },
    );
  },
});
