import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as scratch from '../../scratch/index';

const docs = join(__dirname, '..', '..', 'docs');

describe('docs/notebook.md', () => {
  const text = readFileSync(join(docs, 'notebook.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (.+) \|$/gm)].slice(2).map(([, row]) => row.split(' | '));

  it('names counterparts that exist', () => {
    const exports = scratch as unknown as Record<string, { prototype: object } | undefined>;
    let found = 0;
    for (const [, here] of rows) {
      for (const [, owner, method] of here.matchAll(/`(?:new )?(\w+)(?:\.(\w+))?(?=[`(.])/g)) {
        const known = exports[owner];
        if (known === undefined) {
          // a name of the results or the options, in lower case
          expect(owner, here).to.match(/^[a-z]/);
          continue;
        }
        found++;
        if (method) expect(known.prototype, here).to.have.property(method);
      }
    }
    expect(found).to.be.above(15);
  });

  it('covers every class and method of the notebook', () => {
    const covered = rows.map(([theirs]) => theirs).join('\n');
    for (const name of [
      'SimpleRNN(n_features, n_nodes)',
      'SimpleRNN.forward(x, h_prev)',
      'SimpleRNN.backward(dh, learning_rate)',
      'FullyConnected(input_size, output_size)',
      'FullyConnected.forward(x)',
      'FullyConnected.backward(dout, learning_rate)',
      'ScratchSimpleRNNClassifier(n_features, n_hidden, n_classes, learning_rate=0.01)',
      'forward(x)',
      'predict(x)',
      'softmax(x)',
      'loss(x, y)',
      'backward(x, y)',
      'fit(X, y, epochs=100, batch_size=32, verbose=True)',
    ]) {
      expect(covered).to.include(`\`${name}\``);
    }
  });

  it('links to anchors that are there', () => {
    const bptt = readFileSync(join(docs, 'bptt.md'), 'utf8');
    const links = [...(text + bptt).matchAll(/\]\((?:bptt\.md)?#([a-z-]+)\)/g)].map(([, id]) => id);
    expect(links.length).to.be.above(20);
    for (const id of links) expect(bptt).to.include(`<a id="${id}"></a>`);
  });

  it('says of the loss factor what bptt.md computes', () => {
    const bptt = readFileSync(join(docs, 'bptt.md'), 'utf8');
    const factor = (t: number) => Number(new RegExp(`^\\| ${t} \\|.* \\| (\\S+) \\|$`, 'm').exec(bptt)?.[1]);
    expect(factor(3)).to.be.within(2.5, 3.5);
    expect(factor(50)).to.be.above(300);
  });
});
