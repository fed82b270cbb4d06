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


def serve_lines(perform):
    """Answers every request with perform(request), or with what it raised, until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": perform(request)}
        except ImportError as error:
            answer = {"error": {"message": f"this Python cannot import it ({error}); install it there, or give another one with --python PATH", "absent": True}}
        except CannotRun as error:
            answer = {"error": {"message": str(error)}}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": {"message": f"{type(error).__name__}: {error}"}}
        answers.write(json.dumps({"id": request["id"], **answer}) + "\n")
        answers.flush()
