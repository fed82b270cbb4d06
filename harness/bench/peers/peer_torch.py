import numpy as np
import torch
from torch import nn


class Model(nn.Module):
    """nn.RNN keeps kernels transposed and has two biases; the second is held at zero, so that both sides train one."""

    def __init__(self, weights):
        super().__init__()
        features, units = weights["kernel"].shape
        self.rnn = nn.RNN(features, units, batch_first=True)
        self.fc = nn.Linear(units, weights["outputKernel"].shape[1])
        own = {
            self.rnn.weight_ih_l0: weights["kernel"].T,
            self.rnn.weight_hh_l0: weights["recurrentKernel"].T,
            self.rnn.bias_ih_l0: weights["bias"],
            self.rnn.bias_hh_l0: np.zeros_like(weights["bias"]),
            self.fc.weight: weights["outputKernel"].T,
            self.fc.bias: weights["outputBias"],
        }
        with torch.no_grad():
            for parameter, value in own.items():
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
        self.rnn.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        states, _ = self.rnn(x)
        return self.fc(states[:, -1])


class Torch:
    def __init__(self, one_thread):
        if one_thread:
            torch.set_num_threads(1)
        self.versions = {"torch": torch.__version__}
        self.threads = torch.get_num_threads()

    def open(self, problem):
        self.problem = problem
        self.inputs = torch.from_numpy(problem["inputs"])
        self.labels = torch.from_numpy(problem["labels"])
        self.batch = self.inputs[: problem["batch"]].clone(), self.labels[: problem["batch"]].clone()
        self.questions = {n: torch.from_numpy(x) for n, x in problem["questions"].items()}
        self.model, self.optimizer = self.build()

    def build(self):
        model = Model(self.problem["weights"])
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        return model, torch.optim.SGD(trained, lr=self.problem["learning_rate"])

    def train_step(self):
        return step(self.model, self.optimizer, *self.batch)

    def forward(self, examples):
        with torch.no_grad():
            return self.model(self.questions[examples]).numpy()

    def epoch(self):
        order = torch.randperm(len(self.inputs))
        size = self.problem["batch"]
        loss = 0.0
        for i in range(0, len(order), size):
            chosen = order[i : i + size]
            loss += step(self.model, self.optimizer, self.inputs[chosen], self.labels[chosen]) * len(chosen)
        return loss / len(order)

    def set_up(self):
        return step(*self.build(), *self.batch)

    def weights(self):
        rnn, fc = self.model.rnn, self.model.fc
        named = {
            "kernel": rnn.weight_ih_l0.T,
            "recurrentKernel": rnn.weight_hh_l0.T,
            "bias": rnn.bias_ih_l0,
            "outputKernel": fc.weight.T,
            "outputBias": fc.bias,
        }
        return {name: weight.detach().numpy() for name, weight in named.items()}


def step(model, optimizer, inputs, labels):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    return loss.item()
