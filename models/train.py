#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the models of this folder, converts them to int8 and measures them on data they never saw.

For each model it writes MODEL/MODEL.tflite, MODEL/inputs/*.bin with MODEL/inputs.tsv, the golden vectors
MODEL/MODEL.json, and the block of figures in MODEL/MODEL_CARD.md. Run by `make models`; two runs on one machine
write the same bytes.

Usage: models/train.py [sine|digits …]
"""

import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")

import argparse
import hashlib
import math
import pathlib
import re
import sys

import keras
import numpy
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "tools"))
import make_golden

SEED = 20220714
SINE_TRAINING_COUNT = 4096
SINE_HELD_OUT_COUNT = 1000
SINE_ERROR_MAX = 0.1
DIGITS_HELD_OUT_COUNT = 500
DIGITS_PIXEL_MAX = 16.0
ALLOWED_OPERATORS = {"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D",
                     "SOFTMAX", "RESHAPE"}


def make_deterministic():
    """Forgets what was trained before, so that a model is the same alone and after another."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()


def convert(model, input_shape, samples):
    """The model as an int8 flatbuffer with a batch of exactly one; `samples` calibrate the ranges."""
    function = tf.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec([1, *input_shape], tf.float32, name="input"))
    concrete = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([s[None].astype(numpy.float32)] for s in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


class Int8Model:
    """A converted model in the TensorFlow Lite interpreter with reference kernels."""

    def __init__(self, flatbuffer):
        self._interpreter = tf.lite.Interpreter(
            model_content=flatbuffer, num_threads=1,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
        self._interpreter.allocate_tensors()
        self.input = self._interpreter.get_input_details()[0]
        self.output = self._interpreter.get_output_details()[0]

    def quantize(self, values):
        scale, zero_point = self.input["quantization"]
        codes = numpy.round(numpy.asarray(values, dtype=numpy.float64) / scale) + zero_point
        return numpy.clip(codes, -128, 127).astype(numpy.int8)

    def dequantize(self, codes):
        scale, zero_point = self.output["quantization"]
        return (codes.astype(numpy.float64) - zero_point) * scale

    def run(self, codes):
        """One inference from int8 codes to int8 codes."""
        self._interpreter.set_tensor(self.input["index"], codes.reshape(self.input["shape"]))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self.output["index"])[0]

    def operators(self):
        return [op["op_name"] for op in self._interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]

    def weight_bytes(self):
        """Weights and biases; not the shape that a RESHAPE carries."""
        details = self._interpreter.get_tensor_details()
        constant = [d for d in details if d["name"].startswith("tfl.pseudo_qconst")]
        return sum(int(numpy.prod(d["shape"])) * numpy.dtype(d["dtype"]).itemsize for d in constant)


def train_sine():
    """y = sin(x) for x in [0, 2 pi): returns the flatbuffer and its held-out data."""
    make_deterministic()
    random = numpy.random.default_rng(SEED)
    x = random.uniform(0, 2 * math.pi, SINE_TRAINING_COUNT + SINE_HELD_OUT_COUNT).astype(numpy.float32)
    x[:2] = (0, 2 * math.pi)  # so that the calibrated input range is the whole period
    x_train, x_held_out = x[:SINE_TRAINING_COUNT, None], x[SINE_TRAINING_COUNT:, None]
    model = keras.Sequential([
        keras.Input((1,)),
        keras.layers.Dense(24, activation="relu"),
        keras.layers.Dense(24, activation="relu"),
        keras.layers.Dense(1),
    ])
    schedule = keras.optimizers.schedules.CosineDecay(4e-3, 150 * SINE_TRAINING_COUNT // 64)
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
    model.fit(x_train, numpy.sin(x_train), epochs=150, batch_size=64, verbose=0)
    return convert(model, (1,), x_train[:1000]), x_held_out


def measure_sine(model, x_held_out):
    predicted = numpy.array([model.dequantize(model.run(model.quantize(x)))[0] for x in x_held_out])
    errors = numpy.abs(predicted - numpy.sin(x_held_out[:, 0]))
    if errors.max() > SINE_ERROR_MAX:
        sys.exit(f"train: sine is off by {errors.max():.3f}; the committed files are left alone")
    return [("held-out points", len(errors)), ("mean absolute error, int8", f"{errors.mean():.4f}"),
            ("largest absolute error, int8", f"{errors.max():.4f}")]


def sine_inputs(model, x_held_out):
    """Eight held-out points, spread over the period."""
    x_sorted = numpy.sort(x_held_out[:, 0])
    chosen = x_sorted[numpy.linspace(0, len(x_sorted) - 1, 8).astype(int)]
    return [(f"{i}", model.quantize(x), f"{math.sin(x):.4f}") for i, x in enumerate(chosen)]


def digits_data():
    """The pixels as 0 to 1, split into what is trained on and what is held out, equally many of each digit."""
    digits = load_digits()
    images = (digits.images / DIGITS_PIXEL_MAX).astype(numpy.float32)[..., None]
    return train_test_split(images, digits.target, test_size=DIGITS_HELD_OUT_COUNT, random_state=SEED,
                            stratify=digits.target)


def train_digits():
    """Which digit an 8x8 picture shows: returns the flatbuffer and its held-out data."""
    make_deterministic()
    x_train, x_held_out, y_train, y_held_out = digits_data()
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", activation="relu"),
        layers.Conv2D(24, 1, activation="relu"),
        layers.MaxPooling2D(2),
        layers.DepthwiseConv2D(3, padding="same", activation="relu"),
        layers.Conv2D(32, 1, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Reshape((128,)),
        layers.Dense(10),
        layers.Softmax(),
    ])
    schedule = keras.optimizers.schedules.CosineDecay(4e-3, 60 * len(x_train) // 32)
    model.compile(optimizer=keras.optimizers.Adam(schedule),
                  loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.05))
    model.fit(x_train, keras.utils.to_categorical(y_train, 10), epochs=60, batch_size=32, verbose=0)
    return convert(model, (8, 8, 1), x_train[:300]), (x_held_out, y_held_out)


def measure_digits(model, held_out):
    images, labels = held_out
    predicted = numpy.array([model.run(model.quantize(image)).argmax() for image in images])
    right = int((predicted == labels).sum())
    if right <= 0.95 * len(labels):
        sys.exit(f"train: digits gets {right} of {len(labels)} right; the committed files are left alone")
    return [("held-out pictures", len(labels)), ("right, int8", right),
            ("accuracy, int8", f"{100 * right / len(labels):.1f} %")]


def digits_inputs(model, held_out):
    """The first held-out picture of each digit, whether the model gets it right or not."""
    images, labels = held_out
    firsts = [int(numpy.flatnonzero(labels == digit)[0]) for digit in range(10)]
    return [(str(labels[i]), model.quantize(images[i]), str(labels[i])) for i in firsts]


MODELS = {"sine": (train_sine, measure_sine, sine_inputs), "digits": (train_digits, measure_digits, digits_inputs)}


def write_inputs(folder, flatbuffer, inputs):
    """inputs/*.bin and inputs.tsv: file, what is true, and the output bytes that the reference kernels give."""
    (folder / "inputs").mkdir(exist_ok=True)
    lines = ["# SPDX-License-Identifier: Apache-2.0", "# file\texpected\toutput_hex"]
    for name, codes, expected in inputs:
        path = folder / "inputs" / f"{name}.bin"
        path.write_bytes(codes.tobytes())
        reference = make_golden.Reference(flatbuffer, 1)
        shape = Int8Model(flatbuffer).input["shape"]
        output = reference.invoke([codes.reshape(shape)])[0]
        lines.append(f"inputs/{path.name}\t{expected}\t{output.hex()}")
    (folder / "inputs.tsv").write_text("\n".join(lines) + "\n")


def describe(flatbuffer, model, figures):
    """The rows of the model card's table of figures."""
    def tensor(details):
        shape = "x".join(str(d) for d in details["shape"])
        scale, zero_point = details["quantization"]
        return f"int8 {shape}, scale {scale:.9g}, zero point {zero_point}"
    rows = [("file size, bytes", len(flatbuffer)), ("weight bytes", model.weight_bytes()),
            ("operators", ", ".join(model.operators())), ("input", tensor(model.input)),
            ("output", tensor(model.output)), *figures, ("SHA-256", hashlib.sha256(flatbuffer).hexdigest())]
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def write_card(path, table):
    """Replaces the block between the markers; the prose around it is written by people."""
    card = path.read_text()
    begin, end = "<!-- figures: written by models/train.py -->", "<!-- end of figures -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(card):
        sys.exit(f"train: {path} has no figures block; put back the two marker comments")
    path.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", card))


def make_model(name):
    train, measure, choose_inputs = MODELS[name]
    flatbuffer, held_out = train()
    model = Int8Model(flatbuffer)
    foreign = set(model.operators()) - ALLOWED_OPERATORS
    if foreign:
        sys.exit(f"train: {name} uses {sorted(foreign)}; keep to {sorted(ALLOWED_OPERATORS)}")
    figures = measure(model, held_out)
    folder = HERE / name
    path = folder / f"{name}.tflite"
    path.write_bytes(flatbuffer)
    write_inputs(folder, flatbuffer, choose_inputs(model, held_out))
    make_golden.write_golden(path, folder / f"{name}.json")
    write_card(folder / "MODEL_CARD.md", describe(flatbuffer, model, figures))
    print(f"{path.relative_to(HERE.parent)}: {len(flatbuffer)} bytes, " + ", ".join(f"{k} {v}" for k, v in figures))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *MODELS], default=[], metavar="|".join(MODELS))
    arguments = parser.parse_args()
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for name in arguments.names or MODELS:
        make_model(name)


if __name__ == "__main__":
    main()
