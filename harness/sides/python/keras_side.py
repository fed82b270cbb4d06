import os
import re
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from lines import CannotRun

RECURRENT = {"simpleRNN": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


class KerasSide:
    """A model as Keras runs it: the user's own file where Keras opens it, else built from the description."""

    version = f"Keras {keras.__version__}"

    def run(self, question):
        keras.backend.clear_session()
        run, note = opened(question)
        inputs = [tf.constant(value_of(one, question["inputs"][one["name"]])) for one in question["modelInputs"]]
        loss = question.get("loss")
        backward = bool(question["upstream"]) or loss is not None
        # the weights of frozen layers have gradients as well, but a tape does not watch them by itself
        with tf.GradientTape(watch_accessed_variables=backward) as tape:
            for one, value in zip(question["modelInputs"], inputs):
                if one.get("vocabulary") is None:
                    tape.watch(value)
            try:
                kept, parts = run(inputs, tape)
            except Exception as error:  # pylint: disable=broad-except
                if question.get("file") is None:
                    raise
                # a file that opens need not run: Keras 3 reads older ones in part
                note = f"Keras opened the file itself and could not run it ({reason_of(error)}); it ran the model as read here"
                kept, parts = built(question)(inputs, tape)
            at = lambda source: kept[source["of"]][source.get("state", -1) + 1]
            value = None if loss is None else loss_of(loss, at(loss))
            total = tf.zeros([]) if value is None else value
            for one in question["upstream"]:
                total += tf.reduce_sum(at(one) * one["gradient"])
        answer = {
            "layers": {
                layer["name"]: {"output": kept[layer["name"]][0].numpy(), "states": [state.numpy() for state in kept[layer["name"]][1:]]}
                for layer in question["layers"]
                if layer["name"] in kept
            },
            "note": note,
        }
        if value is not None:
            answer["loss"] = value.numpy().reshape(1)
        if backward:
            answer["gradients"] = gradients_of(tape, total, question, kept, parts, inputs)
        if "training" in question:
            answer["trained"] = trained(question["training"], parts, answer["gradients"]["weights"])
        return answer


def trained(training, parts, gradients):
    """Weights and memory after one update by Keras's own optimizer."""
    places = [(name, key) for name, own in parts.items() for key in own]
    variables = [keras.Variable(parts[name][key]) for name, key in places]
    settings, slots = training["optimizer"], training["slots"]
    rate = settings["learningRate"]
    if settings["name"] == "adam":
        own = keras.optimizers.Adam(rate, settings["beta1"], settings["beta2"], settings["epsilon"])
        own.build(variables)
        memory = {"m": (own._momentums, 1.0), "v": (own._velocities, 1.0)}
    else:
        own = keras.optimizers.SGD(rate, settings["momentum"], settings["nesterov"])
        own.build(variables)
        # Keras keeps -learningRate velocity
        memory = {"velocity": (own.momentums, -rate)} if settings["momentum"] else {}
    own.iterations.assign(training["step"])
    for slot, (held, factor) in memory.items():
        for (name, key), variable in zip(places, held):
            if slot in slots:
                variable.assign(slots[slot][name][key].astype("float64") * factor)
    own.apply([tf.constant(gradients[name][key]) for name, key in places], variables)
    nested = lambda values: {name: {key: value for (layer, key), value in zip(places, values) if layer == name} for name in parts}
    return {
        "weights": nested([np.asarray(variable) for variable in variables]),
        "slots": {
            slot: nested([(np.asarray(variable, "f8") / factor).astype("f4") for variable in held]) for slot, (held, factor) in memory.items()
        },
    }


def loss_of(loss, logits):
    """The mean over examples, and over the time steps that exist, of Keras's own loss of a row."""
    # without what Keras remembers of the activation that made them: it would take the numbers before that
    logits, target = tf.identity(logits), loss["target"]
    if loss["name"] == "softmaxCrossEntropy":
        rows = keras.losses.sparse_categorical_crossentropy(target.astype("int32"), logits, from_logits=True)
    elif loss["name"] == "sigmoidCrossEntropy":
        rows = keras.losses.binary_crossentropy(target, logits, from_logits=True)
    else:
        rows = keras.losses.mean_squared_error(target, logits)
    if "mask" not in loss:
        return tf.reduce_mean(rows)
    return tf.reduce_sum(rows * loss["mask"]) / tf.reduce_sum(loss["mask"])


def gradients_of(tape, total, question, kept, parts, inputs):
    shown = [layer["name"] for layer in question["layers"] if layer["name"] in kept]
    trainable = [(name, key, part) for name, own in parts.items() for key, part in own.items()]
    real = [(one["name"], value) for one, value in zip(question["modelInputs"], inputs) if one.get("vocabulary") is None]
    # a gradient of a state would hold what comes through the output as well: c is on the way to h
    sources = [kept[name][0] for name in shown] + [part for _, _, part in trainable] + [value for _, value in real]
    found = tape.gradient(total, sources)
    outputs = {name: {"output": none_or_array(gradient), "states": []} for name, gradient in zip(shown, found)}
    weights = {}
    for (name, key, part), gradient in zip(trainable, found[len(shown) :]):
        weights.setdefault(name, {})[key] = np.zeros(part.shape, "f4") if gradient is None else tf.convert_to_tensor(gradient).numpy()
    below = found[len(shown) + len(trainable) :]
    return {
        "weights": weights,
        "outputs": outputs,
        "inputs": {name: tf.convert_to_tensor(gradient).numpy() for (name, _), gradient in zip(real, below) if gradient is not None},
    }


def none_or_array(gradient):
    return None if gradient is None else tf.convert_to_tensor(gradient).numpy()


def value_of(one, array):
    return array if one.get("vocabulary") is None else array.astype("int32")


def opened(question):
    """What runs the model (outputs by layer, weights with gradients by layer), and what the user should know."""
    if question.get("file") is not None:
        try:
            return loaded(question), "Keras opened the file itself"
        except Exception as error:  # pylint: disable=broad-except
            return built(question), not_itself(error)
    return built(question), None


def not_itself(error):
    return f"Keras does not open the file itself ({reason_of(error)}); it ran the model as read here"


def reason_of(error):
    """The first line that says something: "Exception encountered when calling ..." stands above the reason, in colours for a terminal."""
    lines = [re.sub(r"\x1b\[\d+m", "", line).strip() for line in str(error).split("\n")]
    said = [line for line in lines if line and not line.startswith("Exception encountered")]
    return (said or [type(error).__name__])[0][:200]


def load(file):
    """Opens a file of any name: Keras goes by the ending, and the first bytes tell a zip (.keras) from HDF5."""
    with open(file, "rb") as opened_file:
        ending = ".keras" if opened_file.read(2) == b"PK" else ".h5"
    with tempfile.TemporaryDirectory() as folder:
        named = os.path.join(folder, f"model{ending}")
        os.symlink(os.path.abspath(file), named)
        return keras.models.load_model(named, compile=False, safe_mode=True)


def loaded(question):
    model = load(question["file"])
    outputs, tensors, parts = [], [], {}
    # a Dense with softmax is two layers of the description, `dense` and `dense:softmax`; Keras shows the second
    last = {layer["name"].split(":")[0]: layer["name"] for layer in question["layers"]}
    for layer in question["layers"]:
        theirs = model.get_layer(layer["name"].split(":")[0])
        if layer["weights"]:
            parts[layer["name"]] = weights_of(theirs, layer["weights"])
        if last[layer["name"].split(":")[0]] != layer["name"]:
            continue
        own = list(theirs.output) if isinstance(theirs.output, (list, tuple)) else [theirs.output]
        outputs.append((layer["name"], len(own)))
        tensors += own
    shown = keras.Model(model.inputs, tensors)

    def run(inputs, tape):
        for own in parts.values():
            tape.watch(list(own.values()))
        given = shown(inputs[0] if len(inputs) == 1 else inputs, training=False)
        flat = iter(given if isinstance(given, (list, tuple)) else [given])
        return {name: [next(flat) for _ in range(count)] for name, count in outputs}, parts

    return run


KEYS = {"moving_mean": "movingMean", "moving_variance": "movingVariance", "recurrent_kernel": "recurrentKernel"}


def weights_of(layer, named):
    """Our names of a layer's weights that have gradients, frozen or not: of both directions, those of the forward layer come first."""
    names = list(named)
    values = [weight for weight in layer.weights if "seed" not in weight.name]
    halves = [f"{way}{key[0].upper()}{key[1:]}" for way in ("forward", "backward") for key in ("kernel", "recurrentKernel", "bias")]
    ours = [name for name in halves if name in names] or [KEYS.get(weight.name, weight.name) for weight in values]
    return {name: weight.value for name, weight in zip(ours, values) if name in names and not name.startswith("moving")}


def built(question):
    def run(inputs, tape):
        kept, parts = {one["name"]: [value] for one, value in zip(question["modelInputs"], inputs)}, {}
        at = lambda source: kept[source["of"]][source.get("state", -1) + 1]
        for layer in question["layers"]:
            own, weights = layer_of(layer)
            value = at(layer["reads"])
            if weights:
                own.build(tuple(value.shape))
                own.set_weights(weights)
            if layer["weights"]:
                parts[layer["name"]] = weights_of(own, layer["weights"])
                tape.watch(list(parts[layer["name"]].values()))
            given = {"initial_state": [at(state) for state in layer["initialStates"]]} if layer.get("initialStates") else {}
            if "mask" in layer:
                given["mask"] = tf.constant(layer["mask"] != 0)
            result = own(value, **given)
            kept[layer["name"]] = list(result) if isinstance(result, (list, tuple)) else [result]
        return kept, parts

    return run


def layer_of(layer):
    """A layer from its description, and its weights in Keras's order."""
    config, weights = layer["config"], layer["weights"]
    kind, name = config["layer"], safe(layer["name"])
    if kind in RECURRENT:
        return recurrent_of(config, layer, name=name), in_order(weights, config, "")
    if kind == "bidirectional":
        wrapped = recurrent_of(config["wrapped"], layer)
        own = keras.layers.Bidirectional(wrapped, merge_mode=config.get("mergeMode", "concat"), name=name)
        return own, in_order(weights, config["wrapped"], "forward") + in_order(weights, config["wrapped"], "backward")
    if kind in ("dense", "timeDistributed"):
        dense = config if kind == "dense" else config["wrapped"]
        own = keras.layers.Dense(dense["units"], activation=activation_of(dense.get("activation", "linear")), use_bias="bias" in weights)
        values = [weights[key] for key in ("kernel", "bias") if key in weights]
        return (own if kind == "dense" else keras.layers.TimeDistributed(own)), values
    if kind == "embedding":
        mask = config.get("maskZero", False)
        return keras.layers.Embedding(config["inputDim"], config["outputDim"], mask_zero=mask, name=name), [weights["embeddings"]]
    if kind == "batchNormalization":
        own = keras.layers.BatchNormalization(epsilon=config["epsilon"], center="beta" in weights, scale="gamma" in weights, name=name)
        return own, [weights[key] for key in ("gamma", "beta", "movingMean", "movingVariance") if key in weights]
    plain = {
        "masking": lambda: keras.layers.Masking(config["maskValue"], name=name),
        "repeatVector": lambda: keras.layers.RepeatVector(config["times"], name=name),
        "flatten": lambda: keras.layers.Flatten(name=name),
        "identity": lambda: keras.layers.Identity(name=name),
        "activation": lambda: keras.layers.Activation(activation_of(config["activation"]), name=name),
        "lastStep": lambda: keras.layers.Lambda(lambda x: x[:, -1], name=name),
    }
    if kind not in plain:
        raise CannotRun(f"{layer['name']}: Keras is not asked for a layer {kind}")
    return plain[kind](), []


def recurrent_of(config, layer, **more):
    options = {
        "return_sequences": config.get("returnSequences", False),
        "return_state": True,
        "go_backwards": config.get("goBackwards", False),
        "use_bias": any(name.lower().endswith("bias") for name in layer["weights"]),
        "activation": activation_of(config.get("activation", "tanh")),
        "zero_output_for_mask": layer.get("maskedRows") == "zero",
        **more,
    }
    if config["layer"] != "simpleRNN":
        options["recurrent_activation"] = activation_of(config.get("recurrentActivation", "sigmoid"))
    if config["layer"] == "gru":
        options["reset_after"] = config.get("resetAfter", True)
    return getattr(keras.layers, RECURRENT[config["layer"]])(config["units"], **options)


def in_order(weights, config, prefix):
    named = lambda key: prefix + key[0].upper() + key[1:] if prefix else key
    values = [weights[named(key)] for key in ("kernel", "recurrentKernel", "bias") if named(key) in weights]
    if len(values) == 3 and config["layer"] == "gru" and config.get("resetAfter", True) and values[2].ndim == 1:
        raise CannotRun("Keras has two biases in a GRU with reset_after, and this model has one")
    return values


@keras.saving.register_keras_serializable("rnn_parity")
def hard_sigmoid_of_keras2(x):
    """A registered function: Bidirectional makes its layers again from their descriptions."""
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


def activation_of(name):
    return {"hardSigmoid": hard_sigmoid_of_keras2, "hardSigmoidKeras3": "hard_sigmoid"}.get(name, name)


def safe(name):
    return name.replace(":", "_").replace("/", "_")
