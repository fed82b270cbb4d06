import base64

import numpy as np
import onnxruntime

TYPES = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}


class OnnxSide:
    """A model as ONNX Runtime runs it, from the ONNX file that this package writes of it. It only infers."""

    version = f"onnxruntime {onnxruntime.__version__}"

    def run(self, question):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(base64.b64decode(question["onnx"]), options, providers=["CPUExecutionProvider"])
        given = {one.name: question["inputs"][one.name].astype(TYPES.get(one.type, np.float32)) for one in session.get_inputs()}
        names = [one.name for one in session.get_outputs()]
        found = dict(zip(names, session.run(names, given)))
        layers = {}
        for layer in question["layers"]:
            name = layer["name"]
            states = [found[f"{name}:state{i}"] for i in range(4) if f"{name}:state{i}" in found]
            if name in found:
                layers[name] = {"output": found[name], "states": states}
        return {"layers": layers}
