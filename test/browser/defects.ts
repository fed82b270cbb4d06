import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import type * as tfjs from '@tensorflow/tfjs';
import { findChromium } from '../../harness/sides/remote/index';

/** TensorFlow.js as a page loads it: everything below runs there, by name. */
declare const tf: typeof tfjs;

/** What a backend's object also has, and its types do not say. */
interface Backend {
  floatPrecision(): number;
  shouldExecuteOnCPU(tensors: unknown[]): boolean;
}

interface WithWasm {
  readonly wasm: { setWasmPaths(paths: Readonly<Record<string, string>>): void };
}

// Each is the smallest program that shows a defect of TensorFlow.js 4.22 (docs/browser.md, "Known defects"), without a line of ours. Where
// one fails, upstream has fixed it: take the defect out of the table, of harness/parity/page/defects.ts, and take out the twin's way around it.
describe('the known defects of TensorFlow.js, by themselves', () => {
  let browser: Browser;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'defects-'));
    // WebGPU exists in a page from a file, and not in about:blank
    writeFileSync(join(folder, 'page.html'), '<!doctype html><title>defects</title>');
    browser = await chromium.launch({
      executablePath: findChromium()!,
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--enable-unsafe-swiftshader'],
    });
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function inPage<T>(
    backend: string,
    program: () => Promise<T>,
    flags: Readonly<Record<string, boolean>> = { WEBGL_CPU_FORWARD: false, WEBGPU_CPU_FORWARD: false },
  ): Promise<T> {
    const tab = await browser.newPage();
    await tab.goto(pathToFileURL(join(folder, 'page.html')).href);
    const bundle = (name: string, file: string): string =>
      join(dirname(require.resolve(`@tensorflow/${name}/package.json`)), 'dist', file);
    await tab.addScriptTag({ path: bundle('tfjs', 'tf.min.js') });
    for (const other of ['webgpu', 'wasm'])
      await tab.addScriptTag({ path: bundle(`tfjs-backend-${other}`, `tf-backend-${other}.min.js`) });
    // a page from a file loads nothing
    const simd = readFileSync(bundle('tfjs-backend-wasm', 'tfjs-backend-wasm-simd.wasm')).toString('base64');
    await tab.evaluate(
      async ([name, given, kernels]) => {
        const address = `data:application/wasm;base64,${kernels}`;
        (tf as unknown as WithWasm).wasm.setWasmPaths({
          'tfjs-backend-wasm.wasm': address,
          'tfjs-backend-wasm-simd.wasm': address,
          'tfjs-backend-wasm-threaded-simd.wasm': address,
        });
        for (const [flag, value] of Object.entries(given)) tf.env().set(flag, value);
        await tf.setBackend(name);
        await tf.ready();
      },
      [backend, flags, simd] as const,
    );
    try {
      return await tab.evaluate(program);
    } finally {
      await tab.close();
    }
  }

  /** softmax^T · 1 of three rows: the padding row of logSoftmax is not finite, and the packed product adds 0 times it. */
  const oddRows = async (): Promise<string[]> => {
    const y = tf.add(
      tf.tensor2d([
        [1, 2, 0, 1],
        [3, 4, 1, 2],
        [5, 7, 3, 2],
      ]),
      1,
    );
    const product = tf.matMul(tf.ones([3, 1]), tf.exp(tf.logSoftmax(y)), true);
    return Array.from(await product.data(), (x) => x.toFixed(4));
  };
  const sums = ['0.5501', '2.0401', '0.1202', '0.2896'];

  it('webgl: a packed product over 3 rows is NaN behind logSoftmax, and right without packing (not reported)', async () => {
    expect(await inPage('webgl', oddRows)).to.deep.equal(['NaN', 'NaN', 'NaN', 'NaN']);
    expect(await inPage('webgl', oddRows, { WEBGL_CPU_FORWARD: false, WEBGL_PACK: false })).to.deep.equal(
      sums,
    );
    expect(await inPage('cpu', oddRows)).to.deep.equal(sums);
  });

  /** What tf.layers does with a mask [2, 3, 1]: its steps first. */
  const steps = async (): Promise<number[]> => {
    const mask = tf.tensor3d([1, 0, 1, 0, 1, 1], [2, 3, 1], 'bool');
    return Array.from(await tf.transpose(mask, [1, 0, 2]).data());
  };

  it('webgpu: the transpose of a mask is zeros, and nothing is thrown (tensorflow/tfjs#8638)', async () => {
    expect(await inPage('webgpu', steps)).to.deep.equal([0, 0, 0, 0, 0, 0]);
    expect(await inPage('cpu', steps)).to.deep.equal([1, 0, 0, 1, 1, 1]);
  });

  it('webgl: floatPrecision() is 16 where float32 works: epsilon of four optimizers and of the losses of tf.layers is 1e-4 (tensorflow/tfjs#6980)', async () => {
    const epsilons = async (): Promise<unknown[]> => {
      const { train } = tf;
      const optimizers = [train.adam(0.1), train.rmsprop(0.1), train.adadelta(0.1), train.adamax(0.1)];
      // the loss of a probability of 1e-6: -ln 1e-6 = 13.8155, and -ln 1e-4 = 9.2103
      const loss = tf.metrics.categoricalCrossentropy(tf.tensor2d([[0, 1]]), tf.tensor2d([[1 - 1e-6, 1e-6]]));
      return [
        tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'),
        (tf.backend() as unknown as Backend).floatPrecision(),
        ...optimizers.map((one) => (one as unknown as { readonly epsilon: number }).epsilon),
        (await loss.data())[0].toFixed(3),
      ];
    };
    expect(await inPage('webgl', epsilons)).to.deep.equal([true, 16, 1e-4, 1e-4, 1e-4, 1e-4, '9.210']);
    expect((await inPage('webgpu', epsilons)).slice(2)).to.deep.equal([1e-7, 1e-7, 1e-7, 1e-7, '13.816']);
  });

  it('wasm: there is no gradient of an embedding (tensorflow/tfjs#8082)', async () => {
    const gradient = (): Promise<number[]> => {
      const sums = (x: tfjs.Tensor): tfjs.Scalar => tf.sum(tf.gather(x, tf.tensor1d([1, 1, 0], 'int32')));
      return tf
        .grad(sums)(tf.ones([3, 2]))
        .data()
        .then((data) => [...data]);
    };
    const thrown = await inPage('wasm', gradient).catch((error: unknown) => String(error));
    expect(thrown).to.match(/Kernel 'UnsortedSegmentSum' not registered for backend 'wasm'/);
    expect(await inPage('webgl', gradient)).to.deep.equal([1, 1, 2, 2, 0, 0]);
  });

  it('webgpu: dataSync() reads other numbers than data() (tensorflow/tfjs#8590 has the same symptom)', async () => {
    const different = async (): Promise<number> => {
      const make = () => tf.add(tf.linspace(0, 1, 70_000), 1);
      const [one, other] = [make(), make()];
      const later = await one.data();
      const atOnce = other.dataSync();
      return later.filter((x, i) => x !== atOnce[i]).length;
    };
    expect(await inPage('webgpu', different)).to.be.above(0);
    expect(await inPage('cpu', different)).to.equal(0);
  });

  it('webgl, webgpu: an operation on few numbers runs in JavaScript unless it is told not to (by design)', async () => {
    const isForwarded = (): Promise<boolean> =>
      Promise.resolve((tf.backend() as unknown as Backend).shouldExecuteOnCPU([tf.tensor1d([1, 2])]));
    for (const backend of ['webgl', 'webgpu']) {
      expect(await inPage(backend, isForwarded, {}), backend).to.equal(true);
      expect(await inPage(backend, isForwarded), backend).to.equal(false);
    }
  });
});
