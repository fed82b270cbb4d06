// One masked training step of the compiled twin, alone in a process: the library writes its notices once a process.
import { GraphSimpleRNNClassifier, loadBackend } from '../../src/index';

void loadBackend('tensorflow').then((backend) => {
  const model = new GraphSimpleRNNClassifier({ backend, features: 1, units: 2, classes: 2 });
  const { loss } = model.trainOnBatch([[[1], [2]]], [1], { mask: [[1, 0]] });
  model.dispose();
  console.log(Number.isFinite(loss));
});
