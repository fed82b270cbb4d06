import statistics
import time

import numpy as np
import torch
from torch import nn


class Model(nn.Module):
    """Recurrent layers and a linear one on the last step. PyTorch keeps kernels transposed and has two biases everywhere; where
    the description has one, the second is held at zero, so that both sides train one."""

    def __init__(self, layers, weights):
        super().__init__()
        *below, top = zip(layers, weights)
        self.below = nn.ModuleList(Recurrent(config, own) for config, own in below)
        config, own = top
        if config["layer"] != "dense" or "activation" in config:
            raise ValueError(f"the bench has no {config} on top for PyTorch; leave it out")
        self.fc = nn.Linear(*own["kernel"].shape)
        copy_into(self.fc.weight, own["kernel"].T)
        copy_into(self.fc.bias, own["bias"])

    def forward(self, x):
        for layer in self.below:
            x = layer(x)
        return self.fc(x)

    def weights(self):
        return [layer.weights() for layer in self.below] + [{"kernel": self.fc.weight.T, "bias": self.fc.bias}]


class Recurrent(nn.Module):
    """One layer from its description. Both sides order the gates of an LSTM alike; a GRU is r z n here and z r h there."""

    def __init__(self, config, weights):
        super().__init__()
        inner = config.get("wrapped", config)
        kinds = {"simpleRNN": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
        plain = {"layer", "units", "returnSequences", "resetAfter"}
        fits = inner["layer"] in kinds and set(inner) <= plain and inner.get("resetAfter", True)
        if not fits or config.get("mergeMode", "concat") != "concat":
            raise ValueError(f"PyTorch has no {config}; leave it out")
        self.sequences = inner.get("returnSequences", False)
        self.swaps = inner["layer"] == "gru"
        self.units = inner["units"]
        self.prefixes = {"forward": "", "backward": "_reverse"} if "wrapped" in config else {"": ""}
        first = next(iter(weights.values()))
        self.rnn = kinds[inner["layer"]](first.shape[0], self.units, batch_first=True, bidirectional="wrapped" in config)
        for prefix, suffix in self.prefixes.items():
            own = {key: self.turned(weights[named(prefix, key)]) for key in ("kernel", "recurrentKernel", "bias")}
            copy_into(self.part("weight_ih", suffix), own["kernel"].T)
            copy_into(self.part("weight_hh", suffix), own["recurrentKernel"].T)
            two = own["bias"].ndim == 2
            copy_into(self.part("bias_ih", suffix), own["bias"][0] if two else own["bias"])
            second = self.part("bias_hh", suffix)
            copy_into(second, own["bias"][1] if two else np.zeros_like(own["bias"]))
            second.requires_grad_(two)

    def part(self, name, suffix):
        return getattr(self.rnn, f"{name}_l0{suffix}")

    def turned(self, weight):
        """Swaps the first two blocks of columns of a GRU; the same way there and back."""
        if not self.swaps:
            return weight
        z, r, h = (weight[..., i * self.units : (i + 1) * self.units] for i in range(3))
        return np.concatenate([r, z, h], axis=-1)

    def forward(self, x):
        states, last = self.rnn(x)
        if self.sequences:
            return states
        h = last[0] if isinstance(last, tuple) else last
        return torch.cat(list(h), dim=1)

    def weights(self):
        named_weights = {}
        for prefix, suffix in self.prefixes.items():
            own = {
                "kernel": self.part("weight_ih", suffix).T,
                "recurrentKernel": self.part("weight_hh", suffix).T,
                "bias": self.part("bias_ih", suffix),
            }
            second = self.part("bias_hh", suffix)
            if second.requires_grad:
                own["bias"] = torch.stack([own["bias"], second])
            for key, weight in own.items():
                named_weights[named(prefix, key)] = torch.from_numpy(self.turned(weight.detach().numpy()))
        return named_weights


def named(prefix, key):
    return prefix + key[0].upper() + key[1:] if prefix else key


def copy_into(parameter, value):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))


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
        model = Model(self.problem["layers"], self.problem["weights"])
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
        return [{name: weight.detach().numpy() for name, weight in layer.items()} for layer in self.model.weights()]

    def product(self):
        a, b = torch.rand(1024, 1024) - 0.5, torch.rand(1024, 1024) - 0.5
        times = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < 0.5:
            before = time.perf_counter()
            torch.mm(a, b)
            times.append(1000 * (time.perf_counter() - before))
        return statistics.median(times)


def step(model, optimizer, inputs, labels):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    return loss.item()
