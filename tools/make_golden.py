#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden vectors for .tflite models: what TensorFlow Lite Micro's reference kernels answer.

The reference is the `tflite-micro` wheel that models/requirements.txt pins; it rounds twice when it requantizes,
as the engine does by default. The format is `tflm-golden-1` (docs/formats/golden.md): inputs are not stored, each
reader makes them again from the definition there.

Usage: tools/make_golden.py MODEL.tflite… --output DIR     (writes DIR/MODEL.json)
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import sys

import numpy
import tflite

TYPE_NAMES = {
    tflite.TensorType.FLOAT32: "FLOAT32",
    tflite.TensorType.INT8: "INT8",
    tflite.TensorType.UINT8: "UINT8",
    tflite.TensorType.INT16: "INT16",
    tflite.TensorType.INT32: "INT32",
    tflite.TensorType.INT64: "INT64",
    tflite.TensorType.BOOL: "BOOL",
}
DTYPES = {"FLOAT32": "<f4", "INT8": "i1", "UINT8": "u1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "BOOL": "?"}
MAXIMA = {"FLOAT32": 1.0, "INT8": 127, "UINT8": 255, "INT16": 32767, "INT32": 2**31 - 1, "INT64": 2**63 - 1, "BOOL": 1}
HEX_BYTES_MAX = 4096
HEAD_BYTES = 256
RANDOM_SEEDS = {2: 1, 3: 2, 4: 3}
ARENA_BYTES = 64 << 20
GENERATOR = "xorshift32: x ^= x << 13; x ^= x >> 17; x ^= x << 5; see docs/formats/golden.md"


class Xorshift32:
    """The generator of the random inputs."""

    def __init__(self, seed):
        self.state = seed

    def next_word(self):
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x

    def next_bytes(self, count):
        words = [self.next_word() for _ in range((count + 3) // 4)]
        return numpy.array(words, dtype="<u4").tobytes()[:count]

    def next_tensor(self, tensor):
        dtype, count = DTYPES[tensor["type"]], element_count(tensor)
        if tensor["type"] == "FLOAT32":
            words = [self.next_word() for _ in range(count)]
            return numpy.array([(w >> 8) * 2.0**-23 - 1.0 for w in words], dtype=dtype)
        data = numpy.frombuffer(self.next_bytes(tensor["bytes"]), dtype="u1")
        if tensor["type"] == "BOOL":
            data = data & 1
        return numpy.frombuffer(data.tobytes(), dtype=dtype)


def element_count(tensor):
    return int(numpy.prod(tensor["shape"], dtype=numpy.int64))


def describe_tensor(subgraph, index):
    """Name, type, shape and quantization of one tensor, as the golden file lists them."""
    tensor = subgraph.Tensors(index)
    type_name = TYPE_NAMES[tensor.Type()]
    shape = [int(d) for d in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else []
    quantization = tensor.Quantization()
    is_per_tensor = quantization is not None and quantization.ScaleLength() == 1
    scale = float(f"{quantization.Scale(0):.9g}") if is_per_tensor else 0
    zero_point = int(quantization.ZeroPoint(0)) if is_per_tensor else 0
    size = int(numpy.prod(shape, dtype=numpy.int64)) * numpy.dtype(DTYPES[type_name]).itemsize
    return {"name": (tensor.Name() or b"").decode(), "type": type_name, "shape": shape, "bytes": size,
            "scale": scale, "zero_point": zero_point}


def make_inputs(case, inputs):
    """The input tensors of one case, 0 to 4, by the definition of the format."""
    tensors = []
    random = Xorshift32(RANDOM_SEEDS.get(case, 1))
    for tensor in inputs:
        if case in RANDOM_SEEDS:
            data = random.next_tensor(tensor)
        else:
            value = MAXIMA[tensor["type"]] if case == 1 else tensor["zero_point"]
            data = numpy.full(element_count(tensor), value, dtype=DTYPES[tensor["type"]])
        tensors.append(data.reshape(tensor["shape"]))
    return tensors


def encode_output(data):
    """One output tensor as the format keeps it: all bytes, or their digest and the first 256."""
    if len(data) <= HEX_BYTES_MAX:
        return {"bytes": len(data), "hex": data.hex()}
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "head256_hex": data[:HEAD_BYTES].hex()}


@contextlib.contextmanager
def standard_output_to_error():
    """The reference prints a line per interpreter; that is no output of ours."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


class Reference:
    """One model in TensorFlow Lite Micro."""

    def __init__(self, model_bytes, output_count):
        from tflite_micro.python.tflite_micro import runtime
        with standard_output_to_error():
            self._interpreter = runtime.Interpreter.from_bytes(model_bytes, arena_size=ARENA_BYTES)
        self._output_count = output_count

    def invoke(self, inputs):
        """Runs once and returns the bytes of each output."""
        for index, data in enumerate(inputs):
            self._interpreter.set_input(data, index)
        self._interpreter.invoke()
        return [self._interpreter.get_output(i).tobytes() for i in range(self._output_count)]


def reference_name():
    import importlib.metadata
    return "tflite-micro wheel " + importlib.metadata.version("tflite-micro") + ", reference kernels, x86-64"


def make_golden(path):
    """The golden file of one model, as a dictionary."""
    model_bytes = path.read_bytes()
    model = tflite.Model.GetRootAs(model_bytes, 0)
    subgraph = model.Subgraphs(0)
    inputs = [describe_tensor(subgraph, i) for i in subgraph.InputsAsNumpy()]
    outputs = [describe_tensor(subgraph, i) for i in subgraph.OutputsAsNumpy()]
    graphs = [model.Subgraphs(i) for i in range(model.SubgraphsLength())]
    variable_count = sum(g.Tensors(i).IsVariable() for g in graphs for i in range(g.TensorsLength()))
    golden = {
        "format": "tflm-golden-1", "model": path.name, "model_sha256": hashlib.sha256(model_bytes).hexdigest(),
        "reference": reference_name(), "generator": GENERATOR, "inputs": inputs, "outputs": outputs,
        "variable_tensors": variable_count, "var_handles": count_operators(model, "VAR_HANDLE"), "cases": [],
    }
    for case in range(5):
        results = Reference(model_bytes, len(outputs)).invoke(make_inputs(case, inputs))
        entry = {"case": case, "input": ("zero", "max", "random", "random", "random")[case]}
        if case in RANDOM_SEEDS:
            entry["seed"] = RANDOM_SEEDS[case]
        entry["outputs"] = [encode_output(data) for data in results]
        golden["cases"].append(entry)
    if variable_count or golden["var_handles"]:
        golden["sequence"] = make_sequence(model_bytes, inputs, golden)
    return golden


def make_sequence(model_bytes, inputs, golden):
    """Cases 2, 3 and 4 one after the other without a reset between."""
    reference = Reference(model_bytes, len(golden["outputs"]))
    steps = []
    for case in RANDOM_SEEDS:
        results = reference.invoke(make_inputs(case, inputs))
        steps.append({"case": case, "outputs": [encode_output(data) for data in results]})
    with_reset = [golden["cases"][case]["outputs"] for case in RANDOM_SEEDS]
    return {"note": "one reset, then inputs of cases 2, 3, 4 one after the other without reset between",
            "steps": steps, "differs_from_reset": [s["outputs"] for s in steps] != with_reset}


def count_operators(model, name):
    wanted = getattr(tflite.BuiltinOperator, name)
    count = 0
    for g in range(model.SubgraphsLength()):
        graph = model.Subgraphs(g)
        codes = [model.OperatorCodes(graph.Operators(i).OpcodeIndex()) for i in range(graph.OperatorsLength())]
        count += sum(code.BuiltinCode() == wanted for code in codes)
    return count


def write_golden(path, output_path):
    """Writes the golden file of the model at `path`."""
    output_path.parent.mkdir(parents=True, exist_ok=True)
    output_path.write_text(json.dumps(make_golden(path), indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path, metavar="MODEL.tflite")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    for path in arguments.models:
        write_golden(path, arguments.output / (path.stem + ".json"))
        print(arguments.output / (path.stem + ".json"))


if __name__ == "__main__":
    main()
