"""A framework as a side: python serve.py keras|torch|onnxruntime. Its operations are those of harness/sides/frameworks/protocol.ts."""

import importlib
import sys

from lines import decode, encode, serve_lines

SIDES = {"keras": ("keras_side", "KerasSide"), "torch": ("torch_side", "TorchSide"), "onnxruntime": ("onnx_side", "OnnxSide")}


class Server:
    def __init__(self, name):
        self.name = name
        self.side = None

    def start(self, _):
        module, cls = SIDES[self.name]
        self.side = getattr(importlib.import_module(module), cls)()
        return {"version": self.side.version}

    def run(self, request):
        """Outputs and states of every layer that the side shows, and the gradients of sum(output * upstream)."""
        question = request["question"]
        for layer in question["layers"]:
            layer["weights"] = {name: decode(weight) for name, weight in layer["weights"].items()}
        question["inputs"] = {name: decode(tensor) for name, tensor in question["inputs"].items()}
        question["upstream"] = [{**one, "gradient": decode(one["gradient"])} for one in question.get("upstream", [])]
        return encoded(self.side.run(question))


def encoded(value):
    """Arrays at any depth, as they travel."""
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else encode(value)


if __name__ == "__main__":
    server = Server(sys.argv[1])
    serve_lines(lambda request: getattr(server, request["op"])(request))
