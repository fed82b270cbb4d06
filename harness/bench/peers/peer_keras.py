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
        weights = self.problem["weights"]
        _, steps, features = self.problem["inputs"].shape
        units, classes = weights["outputKernel"].shape
        model = keras.Sequential(
            [keras.Input((steps, features)), keras.layers.SimpleRNN(units), keras.layers.Dense(classes)]
        )
        model.set_weights(
            [weights[name] for name in ("kernel", "recurrentKernel", "bias", "outputKernel", "outputBias")]
        )
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
        kernel, recurrent_kernel, bias, output_kernel, output_bias = self.model.get_weights()
        return {
            "kernel": kernel,
            "recurrentKernel": recurrent_kernel,
            "bias": bias,
            "outputKernel": output_kernel,
            "outputBias": output_bias,
        }
