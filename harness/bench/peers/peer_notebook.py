import os

import numpy as np

from notebook import Classifier


class Notebook:
    """The notebook's network, float64."""

    def __init__(self, one_thread):
        self.versions = {"numpy": np.__version__}
        self.threads = 1 if one_thread else os.cpu_count()

    def open(self, problem):
        self.problem = problem
        self.inputs = problem["inputs"].astype(np.float64)
        self.batch = self.inputs[: problem["batch"]].copy()
        self.batch_labels = problem["labels"][: problem["batch"]]
        self.questions = {n: x.astype(np.float64) for n, x in problem["questions"].items()}
        self.model = self.build()

    def build(self):
        layers = [config["layer"] for config in self.problem["layers"]]
        if layers != ["simpleRNN", "dense"]:
            raise ValueError(f"the notebook has one simple RNN, not {layers}; leave it out where --layers is given")
        recurrent, output = self.problem["weights"]
        weights = {**recurrent, "outputKernel": output["kernel"], "outputBias": output["bias"]}
        return Classifier(weights, self.problem["learning_rate"])

    def train_step(self):
        return self.model.backward(self.batch, self.batch_labels)

    def forward(self, examples):
        return self.model.forward(self.questions[examples])

    def epoch(self):
        return self.model.fit(self.inputs, self.problem["labels"], self.problem["batch"])

    def set_up(self):
        return self.build().backward(self.batch, self.batch_labels)

    def weights(self):
        rnn, fc = self.model.rnn, self.model.fc
        return [{"kernel": rnn.w_x, "recurrentKernel": rnn.w_h, "bias": rnn.b}, {"kernel": fc.w, "bias": fc.b}]
