"""One peer of the benchmark in Python: python serve.py ENGINE. Its operations are those of harness/bench/process/protocol.ts."""

import importlib
import os
import pathlib
import statistics
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "sides" / "python"))

from lines import decoded, encoded, serve_lines  # noqa: E402


def peer_class(name):
    """The class of an engine's name; imports its libraries."""
    module, cls = {"keras": ("peer_keras", "Keras"), "torch": ("peer_torch", "Torch"), "numpy-notebook": ("peer_notebook", "Notebook")}[
        name.split(":")[0]
    ]
    return getattr(importlib.import_module(module), cls)


class Server:
    def __init__(self, name):
        self.name = name
        self.peer = None
        self.problem = None

    def start(self, _):
        before = time.perf_counter()
        self.peer = peer_class(self.name)(one_thread=self.name.endswith(":1"))
        return {
            "versions": {"python": sys.version.split()[0], **self.peer.versions},
            "settings": {"threads": str(self.peer.threads)},
            "tasks": ["step", "epoch", "forward1", "forward256", "setup"],
            "milliseconds": 1000 * (time.perf_counter() - before),
        }

    def open(self, request):
        import numpy as np

        problem = decoded(request["problem"])
        inputs = problem["inputs"]
        self.problem = {
            "batch": problem["size"]["batch"],
            "inputs": inputs,
            "labels": np.asarray(problem["labels"], dtype=np.int64),
            "questions": {n: inputs[np.arange(n) % len(inputs)] for n in (1, 256)},
            "layers": problem["layers"],
            "weights": problem["weights"],
            "learning_rate": problem["learningRate"],
        }
        self.peer.open(self.problem)
        return {}

    def check(self, _):
        self.peer.open({**self.problem, "learning_rate": 1.0})
        answer = {f"forward{n}": self.peer.forward(n) for n in (1, 256)}
        answer["loss"] = float(self.peer.train_step())
        answer["weights"] = self.peer.weights()
        self.peer.open(self.problem)
        return {"scores": "logits", **encoded(answer)}

    def warm(self, request):
        begin = time.perf_counter()
        times = []
        while len(times) < request["calls"] or 1000 * (time.perf_counter() - begin) < request["milliseconds"]:
            times.append(self.run({"task": request["task"], "calls": 1})["milliseconds"])
        warm = statistics.median(times[len(times) // 2 :])
        return {"calls": len(times), "firstMilliseconds": times[0], "warmMilliseconds": warm}

    def run(self, request):
        task, calls = request["task"], request["calls"]
        call = {
            "step": self.peer.train_step,
            "epoch": self.peer.epoch,
            "forward1": lambda: self.peer.forward(1),
            "forward256": lambda: self.peer.forward(256),
            "setup": self.peer.set_up,
        }[task]
        result = None
        before = time.perf_counter()
        for _ in range(calls):
            result = call()
        milliseconds = 1000 * (time.perf_counter() - before)
        if task in ("step", "epoch") and not abs(float(result)) < float("inf"):
            raise ValueError(f"{task}: the loss became {result} while timing; lower the learning rate")
        return {"milliseconds": milliseconds}

    def product(self, _):
        return {"milliseconds": self.peer.product()}

    def status(self, _):
        return {"rssBytes": resident_bytes(), "cpuSeconds": time.process_time()}


def resident_bytes():
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    serve_lines(Server(sys.argv[1]))
