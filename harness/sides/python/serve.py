"""A framework as a side: python serve.py keras|torch|onnxruntime. Its operations are those of harness/sides/frameworks/protocol.ts."""

import importlib
import sys

from lines import decoded, encoded, serve_lines

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
        """Outputs and states of every layer that the side shows; the loss; the gradients of loss + sum(output * upstream)."""
        question = decoded(request["question"])
        question.setdefault("upstream", [])
        return encoded(self.side.run(question))


if __name__ == "__main__":
    serve_lines(Server(sys.argv[1]))
