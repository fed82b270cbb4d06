// Opens a saved model with TensorFlow.js alone (nothing of this project) and predicts.
// node plain-tfjs.mjs MODEL_DIRECTORY INPUTS.json -> the classes as JSON; inputs: { shape, data, mask? } padded with maskValue.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tf from '@tensorflow/tfjs';

const [directory, file] = process.argv.slice(2);
// tf.loadLayersModel fetches URLs, as in a browser.
const server = createServer((request, response) => {
  readFile(join(directory, request.url.replace(/^\//, ''))).then(
    (bytes) => response.end(bytes),
    () => response.writeHead(404).end(),
  );
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
await tf.setBackend('cpu');
const model = await tf.loadLayersModel(`http://127.0.0.1:${server.address().port}/model.json`);
const { shape, data } = JSON.parse(await readFile(file, 'utf8'));
const probabilities = model.predict(tf.tensor3d(data, shape), { batchSize: 256 });
process.stdout.write(JSON.stringify(Array.from(await probabilities.argMax(1).data())));
server.close();
