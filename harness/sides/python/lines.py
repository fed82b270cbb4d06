"""The child's end of the line protocol of harness/base/process: one line of JSON in, one line of JSON out.

Answers leave through a private copy of stdout; whatever a library prints goes to stderr.
"""

import base64
import json
import os
import sys

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


class CannotRun(Exception):
    """The program does not have something that the question needs; the message says what."""


def decode(tensor):
    import numpy as np

    flat = np.frombuffer(base64.b64decode(tensor["float32"]), dtype="<f4")
    return flat.reshape(tensor["shape"]).copy()


def encode(array):
    import numpy as np

    little = np.ascontiguousarray(array, dtype="<f4")
    return {"shape": list(little.shape), "float32": base64.b64encode(little.tobytes()).decode("ascii")}


def decoded(value):
    """Tensors at any depth, as arrays."""
    if isinstance(value, dict):
        return decode(value) if "float32" in value else {key: decoded(item) for key, item in value.items()}
    return [decoded(item) for item in value] if isinstance(value, list) else value


def encoded(value):
    """Arrays at any depth, as they travel."""
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else encode(value)


# what Node reads as one line
LONGEST = 500_000_000


def serve_lines(server):
    """Answers every request with the server's method of its op, or with what that raised, until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(server, request["op"])(request)}
        except ImportError as error:
            answer = {"error": {"message": f"this Python cannot import it ({error}); install it there, or give another one with --python PATH", "absent": True}}
        except CannotRun as error:
            answer = {"error": {"message": str(error), "refused": True}}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": {"message": f"{type(error).__name__}: {error}"}}
        line = json.dumps({"id": request["id"], **answer})
        if len(line) > LONGEST:
            text = f"its answer has {len(line) / 1e6:.0f} MB, and {LONGEST / 1e6:.0f} MB travel; give fewer or shorter inputs, or compare no gradients"
            line = json.dumps({"id": request["id"], "error": {"message": text, "refused": True}})
        answers.write(line + "\n")
        answers.flush()
