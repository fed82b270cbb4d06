import { expect } from 'chai';
import { describe as inWords, examine, type Examination } from '../../../harness/cli/doctor';
import { backendNames } from '../../../src/index';

describe('rnn-parity doctor', () => {
  it('examines this machine', async () => {
    const found = await examine();
    expect(found.node).to.equal(process.version);
    expect(found.backends.map(({ name, works }) => [name, works])).to.deep.equal(
      backendNames.map((name) => [name, true]),
    );
    expect(found.tfjsNode?.version).to.equal('4.22.0');
    expect(found.tfjsNode?.addon).to.match(/tfjs_binding\.node$/);
    expect(found.cache.bytes).to.equal(found.cache.entries.reduce((sum, { bytes }) => sum + bytes, 0));
    JSON.stringify(found);
  });

  it('says what works, why the rest does not, and how to fix and clean', async () => {
    const found: Examination = {
      node: 'v24.0.0',
      platform: {
        os: 'linux',
        architecture: 'x64',
        glibc: '2.36',
        cpu: 'Some CPU',
        cpuFeatures: ['avx', 'fma'],
      },
      backends: [
        { name: 'tensorflow', works: false, reason: 'the addon is not there', fix: 'run set-up' },
        { name: 'wasm', works: true, version: 'tfjs-backend-wasm 4.22.0' },
        { name: 'cpu', works: false, reason: 'it broke' },
      ],
      recipe: { tfjsNode: '4.22.0', tensorflow: '2.21.0' },
      tools: { pip: 'pip 23.2' },
      cache: {
        directory: '/home/me/.cache/rnn-parity',
        entries: [{ name: 'entry', bytes: 634e6 }],
        bytes: 634e6,
      },
    };
    expect((await inWords(found)).split('\n')).to.deep.equal([
      'node       v24.0.0, linux x64, glibc 2.36',
      'cpu        Some CPU (avx fma)',
      'tensorflow does not load: the addon is not there; run set-up',
      'wasm       works: tfjs-backend-wasm 4.22.0',
      'cpu        does not load: it broke',
      'tfjs-node  not installed',
      'addon      not set up',
      'set-up     builds tfjs-node 4.22.0 with TensorFlow 2.21.0',
      'pip        pip 23.2',
      'compiler   missing (Debian, Ubuntu: `apt-get install g++`)',
      'cache      /home/me/.cache/rnn-parity, 634 MB; `rnn-parity setup --clean` removes it',
      '           entry  634 MB',
    ]);
  });
});
