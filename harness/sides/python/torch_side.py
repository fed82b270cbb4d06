import numpy as np
import torch
from torch import nn

from lines import CannotRun

RECURRENT = {"simpleRNN": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softmax": lambda x: torch.softmax(x, -1),
    # PyTorch's own is that of Keras 3
    "hardSigmoidKeras3": nn.functional.hardsigmoid,
    "hardSigmoid": lambda x: torch.clamp(0.2 * x + 0.5, 0, 1),
}


class TorchSide:
    """A model as PyTorch's own layers run it: nn.RNN, nn.LSTM, nn.GRU, nn.Linear, nn.Embedding."""

    version = f"PyTorch {torch.__version__}"

    def run(self, question):
        kept, weights = {}, {}
        loss = question.get("loss")
        backward = bool(question["upstream"]) or loss is not None
        leaves = {}
        for one in question["modelInputs"]:
            value = torch.from_numpy(question["inputs"][one["name"]])
            if one.get("vocabulary") is not None:
                value = value.long()
            elif backward:
                value.requires_grad_()
                leaves[one["name"]] = value
            kept[one["name"]] = [value]
        at = lambda source: kept[source["of"]][source.get("state", -1) + 1]
        for layer in question["layers"]:
            states = [at(state) for state in layer.get("initialStates", [])]
            own = Layer(layer)
            kept[layer["name"]] = own(at(layer["reads"]), states)
            weights[layer["name"]] = own
        names = [layer["name"] for layer in question["layers"]]
        answer = {
            "layers": {
                name: {"output": kept[name][0].detach().numpy(), "states": [state.detach().numpy() for state in kept[name][1:]]}
                for name in names
            }
        }
        if backward:
            for name in names:
                for tensor in kept[name]:
                    if tensor.requires_grad:
                        tensor.retain_grad()
            total = sum((at(one) * torch.from_numpy(one["gradient"])).sum() for one in question["upstream"])
            if loss is not None:
                value = loss_of(loss, at(loss))
                answer["loss"] = value.detach().reshape(1).numpy()
                total = total + value
            total.backward()
            grads = lambda tensors: [None if tensor.grad is None else tensor.grad.numpy() for tensor in tensors]
            answer["gradients"] = {
                "weights": {name: own.gradients() for name, own in weights.items() if own.named},
                "outputs": {name: {"output": grads(kept[name])[0], "states": grads(kept[name][1:])} for name in names},
                "inputs": {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None},
            }
            if "training" in question:
                before = {layer["name"]: layer["weights"] for layer in question["layers"] if layer["weights"]}
                answer["trained"] = trained(question["training"], before, answer["gradients"]["weights"])
        return answer


def trained(training, before, gradients):
    """Weights and memory after one update by PyTorch's own optimizer."""
    places = [(name, key) for name, own in gradients.items() for key in own]
    weights = []
    for name, key in places:
        weight = nn.Parameter(torch.from_numpy(before[name][key].copy()))
        weight.grad = torch.from_numpy(gradients[name][key])
        weights.append(weight)
    settings, slots = training["optimizer"], training["slots"]
    if settings["name"] == "adam":
        own = torch.optim.Adam(weights, settings["learningRate"], (settings["beta1"], settings["beta2"]), settings["epsilon"])
        memory = {"m": "exp_avg", "v": "exp_avg_sq"}
    else:
        own = torch.optim.SGD(weights, settings["learningRate"], settings["momentum"], nesterov=settings["nesterov"])
        memory = {"velocity": "momentum_buffer"} if settings["momentum"] else {}
    if training["step"] > 0:
        for (name, key), weight in zip(places, weights):
            own.state[weight] = {theirs: torch.from_numpy(slots[ours][name][key].copy()) for ours, theirs in memory.items()}
            if settings["name"] == "adam":
                own.state[weight]["step"] = torch.tensor(float(training["step"]))
    own.step()
    nested = lambda values: {name: {key: value for (layer, key), value in zip(places, values) if layer == name} for name in gradients}
    return {
        "weights": nested([weight.detach().numpy() for weight in weights]),
        "slots": {ours: nested([own.state[weight][theirs].numpy() for weight in weights]) for ours, theirs in memory.items()},
    }


def loss_of(loss, logits):
    """The mean over examples, and over time steps where the logits have them, of PyTorch's own loss of a row."""
    if "mask" in loss:
        raise CannotRun("PyTorch's losses take no mask")
    target = torch.from_numpy(loss["target"])
    if loss["name"] == "softmaxCrossEntropy":
        return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), target.long().reshape(-1))
    if loss["name"] == "sigmoidCrossEntropy":
        return nn.functional.binary_cross_entropy_with_logits(logits, target)
    return nn.functional.mse_loss(logits, target)


class Layer:
    """One layer. PyTorch keeps kernels transposed; its LSTM has Keras's order of gates, its GRU r z n where Keras has z r h."""

    def __init__(self, layer):
        self.name, self.config = layer["name"], layer["config"]
        if "mask" in layer:
            raise CannotRun("PyTorch's layers take no mask")
        self.named = {name: torch.from_numpy(weight) for name, weight in layer["weights"].items()}
        kind = self.config["layer"]
        self.rnn = self.recurrent() if kind in RECURRENT or kind == "bidirectional" else None
        if self.rnn is None:
            for weight in self.named.values():
                weight.requires_grad_()

    def recurrent(self):
        config = self.config.get("wrapped", self.config)
        kind, two = config["layer"], "wrapped" in self.config
        activation, gate = config.get("activation", "tanh"), config.get("recurrentActivation", "sigmoid")
        if activation not in (("tanh", "relu") if kind == "simpleRNN" else ("tanh",)) or gate != "sigmoid":
            raise CannotRun(f"{self.name}: PyTorch's {RECURRENT[kind].__name__} has no activation {activation} with {gate}")
        if kind == "gru" and not config.get("resetAfter", True):
            raise CannotRun(f"{self.name}: PyTorch's GRU resets after the product with the state, this layer before it")
        if two and self.config.get("mergeMode", "concat") != "concat":
            raise CannotRun(f"{self.name}: PyTorch concatenates both directions, this layer takes their {self.config['mergeMode']}")
        self.swaps, self.units = kind == "gru", config["units"]
        self.ways = {"forward": "", "backward": "_reverse"} if two else {"": ""}
        first = self.named[named(next(iter(self.ways)), "kernel")]
        more = {"nonlinearity": activation} if kind == "simpleRNN" else {}
        rnn = RECURRENT[kind](first.shape[0], self.units, batch_first=True, bidirectional=two, **more)
        for way, suffix in self.ways.items():
            own = {key: self.turned(self.named[named(way, key)]) for key in ("kernel", "recurrentKernel", "bias") if named(way, key) in self.named}
            with torch.no_grad():
                getattr(rnn, f"weight_ih_l0{suffix}").copy_(own["kernel"].T)
                getattr(rnn, f"weight_hh_l0{suffix}").copy_(own["recurrentKernel"].T)
                bias = own.get("bias", torch.zeros(1))
                pair = bias if bias.ndim == 2 else (bias, torch.zeros(1))
                getattr(rnn, f"bias_ih_l0{suffix}").copy_(pair[0])
                getattr(rnn, f"bias_hh_l0{suffix}").copy_(pair[1])
        return rnn

    def turned(self, weight):
        """Swaps the first two blocks of columns of a GRU; the same way there and back."""
        if not self.swaps:
            return weight
        u = self.units
        return torch.cat([weight[..., u : 2 * u], weight[..., :u], weight[..., 2 * u :]], dim=-1)

    def __call__(self, x, states):
        kind, config = self.config["layer"], self.config
        if self.rnn is not None:
            return self.walk(x, states)
        if kind in ("dense", "timeDistributed"):
            dense = config if kind == "dense" else config["wrapped"]
            bias = self.named.get("bias")
            return [ACTIVATIONS[dense.get("activation", "linear")](nn.functional.linear(x, self.named["kernel"].T, bias))]
        if kind == "embedding":
            if config.get("maskZero", False) and bool((x == 0).any()):
                raise CannotRun(f"{self.name}: PyTorch's layers take no mask, and these inputs have masked steps")
            return [nn.functional.embedding(x, self.named["embeddings"])]
        if kind == "masking":
            if bool((x == config["maskValue"]).all(-1).any()):
                raise CannotRun(f"{self.name}: PyTorch's layers take no mask, and these inputs have masked steps")
            return [x + 0]
        if kind == "batchNormalization":
            mean, variance = self.named["movingMean"].detach(), self.named["movingVariance"].detach()
            flat = x.reshape(-1, x.shape[-1])
            own = nn.functional.batch_norm(flat, mean, variance, self.named.get("gamma"), self.named.get("beta"), eps=config["epsilon"])
            return [own.reshape(x.shape)]
        plain = {
            "repeatVector": lambda: x[:, None].expand(-1, config["times"], -1) + 0,
            "flatten": lambda: x.flatten(1) + 0,
            "identity": lambda: x + 0,
            "lastStep": lambda: x[:, -1] + 0,
            "activation": lambda: ACTIVATIONS[config["activation"]](x),
        }
        if kind not in plain:
            raise CannotRun(f"{self.name}: PyTorch is not asked for a layer {kind}")
        return [plain[kind]()]

    def walk(self, x, states):
        config = self.config.get("wrapped", self.config)
        if config.get("goBackwards", False):
            x = x.flip(1)
        lstm = config["layer"] == "lstm"
        start = None
        if states:
            h, c = (states[0::2], states[1::2]) if lstm else (states, [])
            start = (torch.stack(h), torch.stack(c)) if lstm else torch.stack(h)
        sequence, last = self.rnn(x, start)
        h, c = last if lstm else (last, None)
        carried = [state for way in range(len(self.ways)) for state in ([h[way], c[way]] if lstm else [h[way]])]
        output = sequence if config.get("returnSequences", False) else torch.cat(list(h), dim=1)
        return [output, *carried]

    def gradients(self):
        if self.rnn is None:
            return {name: gradient_of(weight).numpy() for name, weight in self.named.items() if not name.startswith("moving")}
        found = {}
        for way, suffix in self.ways.items():
            part = lambda key: gradient_of(getattr(self.rnn, f"{key}_l0{suffix}"))
            own = {"kernel": part("weight_ih").T, "recurrentKernel": part("weight_hh").T}
            if named(way, "bias") in self.named:
                both = self.named[named(way, "bias")].ndim == 2
                own["bias"] = torch.stack([part("bias_ih"), part("bias_hh")]) if both else part("bias_ih")
            for key, gradient in own.items():
                found[named(way, key)] = np.ascontiguousarray(self.turned(gradient).numpy())
        return found


def gradient_of(tensor):
    """Zero where nothing of the loss comes from it."""
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def named(way, key):
    return way + key[0].upper() + key[1:] if way else key
