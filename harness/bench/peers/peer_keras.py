import os

import keras
import tensorflow as tf


class Keras:
    def __init__(self, one_thread):
        if one_thread:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self.versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        self.threads = 1 if one_thread else os.cpu_count()
        self.model = None

    def open(self, problem):
        if self.model is not None:
            keras.backend.clear_session()
        self.problem = problem
        self.batch = problem["inputs"][: problem["batch"]].copy(), problem["labels"][: problem["batch"]]
        self.model = self.build()

    def build(self):
        _, steps, features = self.problem["inputs"].shape
        layers = [layer_of(config) for config in self.problem["layers"]]
        model = keras.Sequential([keras.Input((steps, features)), *layers])
        model.set_weights([weight for layer in self.problem["weights"] for weight in layer.values()])
        model.compile(
            optimizer=keras.optimizers.SGD(self.problem["learning_rate"]),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        return model

    def train_step(self):
        return float(self.model.train_on_batch(*self.batch))

    def forward(self, examples):
        return self.model.predict_on_batch(self.problem["questions"][examples])

    def epoch(self):
        history = self.model.fit(
            self.problem["inputs"], self.problem["labels"], batch_size=self.problem["batch"], epochs=1, verbose=0
        )
        return history.history["loss"][0]

    def set_up(self):
        return float(self.build().train_on_batch(*self.batch))

    def weights(self):
        values = iter(self.model.get_weights())
        return [{name: next(values) for name in layer} for layer in self.problem["weights"]]


def layer_of(config):
    """A layer from its description; Keras has the same options under names with underscores."""
    options = {snake(key): value for key, value in config.items() if key not in ("layer", "wrapped", "biases")}
    kind = config["layer"]
    if kind == "bidirectional":
        return keras.layers.Bidirectional(layer_of(config["wrapped"]), **options)
    if "biases" in config or kind not in ("simpleRNN", "lstm", "gru", "dense"):
        raise ValueError(f"the bench has no {config} for Keras; leave it out")
    classes = {"simpleRNN": "SimpleRNN", "lstm": "LSTM", "gru": "GRU", "dense": "Dense"}
    return getattr(keras.layers, classes[kind])(**options)


def snake(name):
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
