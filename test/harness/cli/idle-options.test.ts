import { expect } from 'chai';
import { runCli } from '../../support/run-cli';

const lstm = 'test/fixtures/models/torch-lstm.onnx';

describe('options that change nothing, or name what cannot be', () => {
  const lines: readonly (readonly [line: string, says: string])[] = [
    [
      'parity --check-report r.json --only edge/* --cases 3',
      '--only and --cases change nothing with --check-report; leave them out.',
    ],
    ['parity --vectors v.json --seed 7', '--seed changes nothing with --vectors; leave it out.'],
    ['parity --timeout 5s', '--timeout changes nothing without --candidate'],
    ['fuzz --timeout 5s', '--timeout changes nothing without --candidate'],
    ['replay case.json --timeout 5s', '--timeout changes nothing without --candidate'],
    ['browser --headed', '--headed changes nothing without --browser'],
    ['browser --case c.json --only a --quick', '--only and --quick change nothing with --case'],
    ['browser --save p.html --gpu real', '--gpu changes nothing with --save'],
    ['browser --gpu real --sides cpu,wasm', '--sides cpu,wasm names no side on one; add webgl or webgpu.'],
    ['browser --out package.json', 'package.json is no directory'],
    ['browser --case package.json', 'package.json has the format undefined'],
    ['trial --cases 5', '--cases changes nothing without --sensitivity'],
    ['trial --stride 5', '--stride changes nothing without --function-errors'],
    ['trial --sensitivity cpu --equations c.ts', '--equations changes nothing with --sensitivity'],
    ['trial --function-errors cpu --layers lstm:3', '--layers changes nothing with --function-errors'],
    ['trial --layers lstm:3 --shapes 2', '--shapes changes nothing with --layers'],
    ['train --data a.npz --time-steps 5', '--time-steps is for --data memory and changes nothing for a.npz'],
    ['train --examples 50', '--examples is for --data memory and changes nothing for digits'],
    ['train --data a.npz --label-column y', '--label-column is for .csv and .tsv files'],
    ['train --data a.jsonl --delimiter ;', '--delimiter is for .csv and .tsv files'],
    ['train --data memory --encoding latin1', '--encoding is for .csv, .tsv and .jsonl files'],
    ['train --data notebook --skip-malformed', '--skip-malformed is for files'],
    ['predict --model m --data a.npz --decimal ,', '--decimal is for .csv and .tsv files'],
    ['predict --model m --data package.json --seed 4', '--seed is for generated data'],
    [
      'evaluate --model m --data digits --side scratch --backend cpu',
      '--backend cpu belongs to the op-by-op side',
    ],
    ['train --from m --initializer keras', '--from gives the weights of its model; leave out --initializer.'],
    ['import --from m.keras --activation tanh --out m', '--activation tanh is of weights without layers'],
    [`check ${lstm} --steps last`, '--steps last is for a state_dict of PyTorch'],
    [`check ${lstm} --nonlinearity relu`, '--nonlinearity relu is for an nn.RNN in a state_dict'],
    ['parity --seed 1 --seed 2', '--seed is given twice; keep one of them.'],
    ['train --epochs=3 --data memory --epochs 4', '--epochs is given twice'],
    ['predict --model a --model b --data memory', '--model is given twice'],
    ['convert a.keras --to onnx --out b --force --to npz', '--to is given twice'],
    ['parity --json --json r.json', '--json is given twice'],
    [
      'train --standardize --no-standardize',
      '--standardize and --no-standardize contradict each other; keep one of them.',
    ],
    [`predict --model ${lstm} --data notebook --steps last`, '--steps last is for a state_dict of PyTorch'],
    [`evaluate --model ${lstm} --data notebook --nonlinearity relu`, '--nonlinearity relu is for an nn.RNN'],
    [`import --from ${lstm} --out m --steps all`, '--steps all is for a state_dict of PyTorch'],
    ['train --data notebook --nonlinearity relu', '--nonlinearity relu is of the state_dict of --from'],
    ['train --resume m --steps last', '--steps last is of the state_dict of --from'],
    ['parity --python p', '--python changes nothing without keras, torch, onnxruntime in --backends'],
    ['fuzz --backends wasm --python p', '--python changes nothing without keras, torch, onnxruntime'],
    [
      `check ${lstm} --sides graph --python p`,
      '--python changes nothing without keras, torch, onnxruntime in --sides',
    ],
    [
      `check ${lstm} --sides graph --timeout 5s`,
      '--timeout changes nothing without keras, torch, onnxruntime',
    ],
    [`convert ${lstm} --to npz --out m.npz --python p`, '--python changes nothing with --to npz'],
    ['trial --backends keras', 'there is no backend "keras"'],
    ['train --data memory --out=', '--out is empty; give a value, or leave it out.'],
    ['parity --only no-case --json=', '--json is empty; give a value, or leave it out.'],
    ['equations ', 'cell is empty; give a value, or leave it out.'],
    ['merge a.json ', 'files is empty; give a value, or leave it out.'],
    ['help foo', "unknown command 'foo'"],
    ['predict --model m --data digits --seed 4', '--seed is for generated data'],
    [
      `check ${lstm} --inputs x.npz --forward-only --seed 3`,
      '--seed changes nothing with --inputs and --forward-only; leave it out.',
    ],
    ...[
      'fuzz --cases 1 --backends cpu --json package.json',
      'merge none.json --json package.json',
      'replay none.json --json package.json',
      'predict --model none --data memory --json package.json',
      'evaluate --model none --data memory --json package.json',
      'train --data none.csv --json package.json',
      'bench --sizes S --engines scratch --json package.json',
      'doctor --json package.json',
      'trial --sensitivity cpu --json package.json',
      'trial --function-errors cpu --json package.json',
    ].map((line) => [line, '--json package.json exists and is no report of an earlier run'] as const),
    ['bench --from r.json --markdown README.md', 'README.md exists and is no report of an earlier run'],
    ['bench --from r.json --html harness/parity/page/page.html', 'exists and is no report of an earlier run'],
    [
      'bench --from r.json --rounds 3 --sizes S',
      '--sizes and --rounds change nothing with --from; leave them out.',
    ],
    ['bench --engines nope --sweep-base S', '--sweep-base changes nothing without --sweep; leave it out.'],
    [
      'train --data none.csv --force',
      '--force replaces the files of a run in --out, and changes nothing without it',
    ],
    ['parity --html -', '--html - names no file'],
    ['train --data a\u001b[2J.csv', 'a\\u001b[2J.csv does not exist'],
    ['parity --html r.json', '--html r.json: .json files are what --json writes; choose another name.'],
    ['check none.keras --sides tfjs:gpu', 'there is no side "tfjs:gpu"'],
    [`import --from ${lstm} --out m.keras`, 'm.keras is the name of a .keras file, and this command makes'],
    [`import --from ${lstm} --out m --class-names 1,1.0`, '--class-names has "1.0" twice'],
    ['parity --junit -', '--junit - names no file'],
    ['fuzz --out package.json', 'package.json is no directory'],
    ['fuzz --out package.json/a/b', 'package.json is no directory'],
    ['bench --layers lstm:4:activatoin=relu', 'the nearest is activation'],
    ['bench --layers lstm:1000000', 'more than the 4,294,967,296 that there may be'],
    ['bench --layers embedding:5:4,lstm:3', '--layers embedding:5:4,lstm:3: network: features is'],
  ];
  for (const [line, says] of lines)
    it(line, async () => {
      const { exitCode, stdout, stderr } = await runCli(line.split(' '));
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(stderr).to.include(says).and.not.include('looks like a bug');
    });
});
