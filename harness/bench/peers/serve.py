"""One peer of the benchmark in Python: python serve.py ENGINE.

Speaks the protocol of harness/bench/protocol.ts: one line of JSON in, one line of JSON out. Answers leave through a
private copy of stdout; whatever a library prints goes to stderr.
"""

import base64
import importlib
import json
import os
import statistics
import sys
import time

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


def peer_class(name):
    """The class of an engine's name; imports its libraries."""
    module, cls = {"keras": ("peer_keras", "Keras"), "torch": ("peer_torch", "Torch"), "numpy-notebook": ("peer_notebook", "Notebook")}[
        name.split(":")[0]
    ]
    return getattr(importlib.import_module(module), cls)


def decode(tensor):
    import numpy as np

    flat = np.frombuffer(base64.b64decode(tensor["float32"]), dtype="<f4")
    return flat.reshape(tensor["shape"]).copy()


def encode(array):
    import numpy as np

    little = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(little.shape), "float32": base64.b64encode(little.tobytes()).decode("ascii")}


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

        problem = request["problem"]
        size = problem["size"]
        inputs = decode(problem["inputs"])
        self.problem = {
            "batch": size["batch"],
            "inputs": inputs,
            "labels": np.asarray(problem["labels"], dtype=np.int64),
            "questions": {n: inputs[np.arange(n) % len(inputs)] for n in (1, 256)},
            "layers": problem["layers"],
            "weights": [{name: decode(weight) for name, weight in layer.items()} for layer in problem["weights"]],
            "learning_rate": problem["learningRate"],
        }
        self.peer.open(self.problem)
        return {}

    def check(self, _):
        self.peer.open({**self.problem, "learning_rate": 1.0})
        answer = {f"forward{n}": encode(self.peer.forward(n)) for n in (1, 256)}
        answer["loss"] = float(self.peer.train_step())
        answer["weights"] = [
            {name: encode(weight) for name, weight in layer.items()} for layer in self.peer.weights()
        ]
        self.peer.open(self.problem)
        return {"scores": "logits", **answer}

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


def main():
    server = Server(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(server, request["op"])(request)}
        except ImportError as error:
            answer = {"error": {"message": f"this Python cannot import it ({error}); install it there, or give another one with --python PATH", "absent": True}}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": {"message": f"{type(error).__name__}: {error}"}}
        answers.write(json.dumps({"id": request["id"], **answer}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
