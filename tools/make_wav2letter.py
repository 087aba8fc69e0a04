#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an int8 .tflite of the shape of Wav2letter with random weights: 23.6 MB that no small board can hold in RAM.

The network (input 1x296x39: 296 frames of 39 features) is convolutions along time: 250 wide with kernel 48 and
stride 2, seven of 250 with kernel 7, 2000 with kernel 32, 2000 with kernel 1, 29 with kernel 1; leaky ReLU
between them and softmax at the end. It recognises nothing. Scales are chosen so that activations keep a constant
spread from one operator to the next, neither saturating nor vanishing. The same arguments give the same bytes.

Usage: tools/make_wav2letter.py OUTPUT.tflite [--seed N] [--width PERCENT] [--frames N]
"""

import argparse
import math
import pathlib
import sys

import numpy

sys.dont_write_bytecode = True
from tflite_builder import INT8, INT32, ModelBuilder, float32, int32, vector

FRAMES, FEATURES, LABELS = 296, 39, 29
LAYERS = [(250, 48, 2)] + [(250, 7, 1)] * 7 + [(2000, 32, 1), (2000, 1, 1)]  # channels, kernel, stride
LEAKY_RELU_ALPHA = 0.2
# An input of uniformly random bytes has standard deviation 1; so has every convolution's output, of which int8
# then spans four each way.
INPUT_SCALE = 1 / 74
ACTIVATION_SCALE = 4 / 127
LOGIT_SCALE = 8 / 127
LOGIT_DEVIATION = 1.5
SOFTMAX_SCALE, SOFTMAX_ZERO_POINT = 1 / 256, -128
WEIGHT_DEVIATION_CODES = 40.0
BIAS_DEVIATION = 0.1
# Root mean square of leaky ReLU of a standard normal variable.
LEAKY_RELU_GAIN = math.sqrt((1 + LEAKY_RELU_ALPHA**2) / 2)


class Activation:
    """Where the network stands: a tensor, its frames, channels, scale, and root mean square in real units."""

    def __init__(self, tensor, frames, channels, scale, spread):
        self.tensor, self.frames, self.channels, self.scale, self.spread = tensor, frames, channels, scale, spread


def add_convolution(builder, random, source, channels, kernel, stride, scale, spread):
    """A 1 x kernel convolution whose output has the given scale and standard deviation."""
    shape = [channels, 1, kernel, source.channels]
    weights = numpy.clip(numpy.rint(random.normal(0, WEIGHT_DEVIATION_CODES, shape)), -127, 127)
    unit = spread / (source.spread * WEIGHT_DEVIATION_CODES * math.sqrt(kernel * source.channels))
    scales = (unit * random.uniform(0.8, 1.2, channels)).astype(numpy.float32)
    bias_scales = scales * numpy.float32(source.scale)
    bias = numpy.rint(random.normal(0, BIAS_DEVIATION, channels) / bias_scales)
    filter_tensor = builder.add_tensor(shape, INT8, scale=scales, data=weights)
    bias_tensor = builder.add_tensor([channels], INT32, scale=bias_scales, data=bias)
    frames = -(-source.frames // stride)
    output = builder.add_tensor([1, 1, frames, channels], INT8, scale=scale)
    builder.add_operator("CONV_2D", [source.tensor, filter_tensor, bias_tensor], [output], "Conv2DOptions",
                         [int32(1, stride), int32(2, 1), int32(4, 1), int32(5, 1)])
    return Activation(output, frames, channels, scale, spread)


def add_leaky_relu(builder, source):
    output = builder.add_tensor([1, 1, source.frames, source.channels], INT8, scale=source.scale)
    builder.add_operator("LEAKY_RELU", [source.tensor], [output], "LeakyReluOptions", [float32(0, LEAKY_RELU_ALPHA)])
    return Activation(output, source.frames, source.channels, source.scale, source.spread * LEAKY_RELU_GAIN)


def make_wav2letter(seed, width_percent, frames):
    """The flatbuffer."""
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    builder = ModelBuilder("Wav2letter-shaped, random weights")
    model_input = builder.add_input([1, frames, FEATURES], INT8, scale=INPUT_SCALE)
    shape = [1, 1, frames, FEATURES]
    shape_tensor = builder.add_constant(shape)
    reshaped = builder.add_tensor(shape, INT8, scale=INPUT_SCALE)
    builder.add_operator("RESHAPE", [model_input, shape_tensor], [reshaped], "ReshapeOptions", [vector(0, shape)])
    activation = Activation(reshaped, frames, FEATURES, INPUT_SCALE, 1.0)
    for channels, kernel, stride in LAYERS:
        scaled = max(1, channels * width_percent // 100)
        activation = add_convolution(builder, random, activation, scaled, kernel, stride, ACTIVATION_SCALE, 1.0)
        activation = add_leaky_relu(builder, activation)
    logits = add_convolution(builder, random, activation, LABELS, 1, 1, LOGIT_SCALE, LOGIT_DEVIATION)
    shape = [1, 1, logits.frames, LABELS]
    output = builder.add_tensor(shape, INT8, scale=SOFTMAX_SCALE, zero_point=SOFTMAX_ZERO_POINT)
    builder.add_operator("SOFTMAX", [logits.tensor], [output], "SoftmaxOptions", [float32(0, 1.0)])
    builder.add_output(output)
    return builder.build()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path, metavar="OUTPUT.tflite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=100, metavar="PERCENT", help="of the channels; 100: all")
    parser.add_argument("--frames", type=int, default=FRAMES, help="296 is the real length")
    arguments = parser.parse_args()
    if arguments.width < 1 or arguments.frames < 1:
        parser.error("--width and --frames must be at least 1")
    data = make_wav2letter(arguments.seed, arguments.width, arguments.frames)
    arguments.output.write_bytes(data)
    print(f"{arguments.output}: {len(data)} bytes")


if __name__ == "__main__":
    main()
