#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the nanoseconds of an inference of each model given, a line each, in TensorFlow Lite Micro's wheel.

Usage: benchmarks/tflm_times.py MODEL.tflite…     (with a Python that has the wheel: build/models-venv/bin/python)
"""

import pathlib
import sys
import time

import numpy
from tflite_micro.python.tflite_micro import runtime

ARENA_BYTES = 16 << 20
SECONDS = 0.5


def measure(path):
    interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=ARENA_BYTES)
    details = interpreter.get_input_details(0)
    random = numpy.random.default_rng(1)
    data = random.integers(-128, 128, details["shape"]).astype(details["dtype"])
    fastest, end = None, time.monotonic() + SECONDS
    while fastest is None or time.monotonic() < end:
        interpreter.set_input(data, 0)
        start = time.perf_counter_ns()
        interpreter.invoke()
        taken = time.perf_counter_ns() - start
        fastest = taken if fastest is None else min(fastest, taken)
    return fastest


def main():
    for name in sys.argv[1:]:
        print(measure(pathlib.Path(name)))


if __name__ == "__main__":
    main()
