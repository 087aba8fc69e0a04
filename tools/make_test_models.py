#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/models: a small model per operator, type and variant, a small network, and their golden vectors.

The models are built table by table with weights from fixed seeds; the golden vectors of tests/golden come from
TensorFlow Lite Micro's reference kernels (tools/make_golden.py). Run by `make test-models`; the same version of
the script writes the same bytes.

Usage: tools/make_test_models.py [NAME …]
"""

import pathlib
import sys
import zlib

import numpy

sys.dont_write_bytecode = True
import make_golden
import make_wav2letter
from tflite_builder import (FLOAT32, INT16, INT32, INT64, INT8, NO_TENSOR, RESOURCE, ModelBuilder, boolean, float32,
                            int8, int32, string, vector)

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
TYPE_SUFFIX = {INT8: "s8", INT16: "s16", FLOAT32: "f32"}
IMAGE = [1, 6, 5, 4]
MODELS = {}
NETWORKS = {"wav2letter_5": lambda: make_wav2letter.make_wav2letter(seed=1, width_percent=5, frames=120)}


def model(name):
    """Registers a function that fills a ModelBuilder under a name."""
    def register(function):
        if name in MODELS:
            raise ValueError(f"two models are called {name}")
        MODELS[name] = function
        return function
    return register


def random_for(name):
    return numpy.random.Generator(numpy.random.PCG64(zlib.crc32(name.encode())))


def quantization(type_code, scale, zero_point):
    """Keyword arguments of a tensor; int16 is symmetric and 100 times finer, float has none."""
    if type_code == FLOAT32:
        return {}
    if type_code == INT16:
        return {"scale": scale / 100}
    return {"scale": scale, "zero_point": zero_point}


def add_int8_weights(builder, random, shape, axis, per_channel=True):
    """int8 weights; returns the tensor and its scales."""
    count = shape[axis] if per_channel else 1
    scales = random.uniform(0.004, 0.02, count).astype(numpy.float32)
    tensor = builder.add_tensor(shape, INT8, scale=scales, data=random.integers(-127, 128, shape), axis=axis)
    return tensor, scales


def add_bias(builder, random, count, scales, input_scale, type_code):
    bias_scales = scales * numpy.float32(input_scale)
    values = numpy.rint(random.normal(0, 0.5, count) / bias_scales)
    kind = INT64 if type_code == INT16 else INT32
    return builder.add_tensor([count], kind, scale=bias_scales, data=values)


def weighted(name, operator, options_type, options, type_code, input_shape, filter_shape, axis, output_shape,
             per_channel=True, has_bias=True):
    """A model of one operator with weights: CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED."""
    @model(name)
    def fill(builder):
        random = random_for(name)
        source = quantization(type_code, 0.05, -3)
        x = builder.add_input(input_shape, type_code, **source)
        count = filter_shape[axis]
        if type_code == FLOAT32:
            weights = builder.add_tensor(filter_shape, FLOAT32, data=random.normal(0, 0.2, filter_shape))
            bias = builder.add_tensor([count], FLOAT32, data=random.normal(0, 0.5, count))
        else:
            weights, scales = add_int8_weights(builder, random, filter_shape, axis, per_channel)
            bias = add_bias(builder, random, count, scales, source["scale"], type_code) if has_bias else NO_TENSOR
        y = builder.add_tensor(output_shape, type_code, **quantization(type_code, 0.11, 5))
        builder.add_operator(operator, [x, weights, bias], [y], options_type, options)
        builder.add_output(y)


def conv_options(padding, stride=1, activation=NONE, dilation=1):
    return [int8(0, padding), int32(1, stride), int32(2, stride), int8(3, activation), int32(4, dilation),
            int32(5, dilation)]


def depthwise_options(padding, stride, multiplier, activation=NONE, dilation=1):
    return [int8(0, padding), int32(1, stride), int32(2, stride), int32(3, multiplier), int8(4, activation),
            int32(5, dilation), int32(6, dilation)]


def define_convolutions():
    """CONV_2D and DEPTHWISE_CONV_2D: paddings, strides, dilation, groups, multipliers, types."""
    def conv(name, options, filter_shape, output_shape, type_code=INT8, input_shape=IMAGE, **rest):
        weighted(f"conv_2d_{name}", "CONV_2D", "Conv2DOptions", options, type_code, input_shape, filter_shape, 0,
                 output_shape, **rest)

    conv("same_s8", conv_options(SAME), [7, 3, 3, 4], [1, 6, 5, 7])
    conv("valid_stride_s8", conv_options(VALID, stride=2, activation=RELU), [6, 3, 3, 4], [1, 2, 2, 6])
    conv("even_same_stride_s8", conv_options(SAME, stride=2, activation=RELU6), [5, 2, 4, 4], [1, 3, 3, 5])
    conv("dilated_s8", conv_options(SAME, dilation=2), [3, 3, 3, 4], [1, 6, 5, 3])
    conv("grouped_s8", conv_options(SAME), [6, 3, 3, 2], [1, 6, 5, 6])
    conv("pointwise_s8", conv_options(VALID), [9, 1, 1, 4], [1, 6, 5, 9])
    conv("one_channel_s8", conv_options(SAME), [8, 5, 3, 1], [1, 9, 7, 8], input_shape=[1, 9, 7, 1])
    conv("per_tensor_no_bias_s8", conv_options(SAME), [4, 3, 3, 4], [1, 6, 5, 4], per_channel=False, has_bias=False)
    conv("batch_s8", conv_options(SAME), [3, 3, 3, 2], [2, 4, 4, 3], input_shape=[2, 4, 4, 2])
    conv("line_s8", conv_options(SAME, stride=2), [10, 1, 8, 6], [1, 1, 12, 10], input_shape=[1, 1, 24, 6])
    conv("same_s16", conv_options(SAME), [5, 3, 3, 4], [1, 6, 5, 5], INT16)
    conv("same_f32", conv_options(SAME, activation=RELU), [3, 3, 3, 4], [1, 6, 5, 3], FLOAT32)

    def depthwise(name, options, kernel, output_shape, type_code=INT8, input_shape=IMAGE):
        weighted(f"depthwise_conv_2d_{name}", "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", options, type_code,
                 input_shape, [1, *kernel, output_shape[3]], 3, output_shape)

    depthwise("same_s8", depthwise_options(SAME, 1, 1), [3, 3], [1, 6, 5, 4])
    depthwise("stride_s8", depthwise_options(SAME, 2, 1, RELU6), [3, 3], [1, 3, 3, 4])
    depthwise("multiplier_s8", depthwise_options(VALID, 1, 3), [3, 2], [1, 4, 4, 12])
    depthwise("one_channel_s8", depthwise_options(SAME, 2, 8, RELU), [5, 4], [1, 5, 4, 8], input_shape=[1, 9, 8, 1])
    depthwise("dilated_s8", depthwise_options(SAME, 1, 1, NONE, 2), [3, 3], [1, 6, 5, 4])
    depthwise("wide_s8", depthwise_options(SAME, 1, 1), [3, 3], [1, 3, 3, 37], input_shape=[1, 3, 3, 37])
    depthwise("same_s16", depthwise_options(SAME, 1, 1), [3, 3], [1, 6, 5, 4], INT16)
    depthwise("same_f32", depthwise_options(SAME, 1, 2), [3, 3], [1, 6, 5, 8], FLOAT32)


def define_fully_connected():
    def dense(name, input_shape, filter_shape, output_shape, type_code=INT8, activation=NONE, keep=False, **rest):
        weighted(f"fully_connected_{name}", "FULLY_CONNECTED", "FullyConnectedOptions",
                 [int8(0, activation), boolean(2, keep)], type_code, input_shape, filter_shape, 0, output_shape, **rest)

    dense("per_tensor_s8", [1, 37], [11, 37], [1, 11], per_channel=False)
    dense("per_channel_s8", [1, 37], [11, 37], [1, 11], activation=RELU)
    dense("no_bias_s8", [1, 20], [6, 20], [1, 6], per_channel=False, has_bias=False)
    dense("rows_s8", [1, 3, 10], [5, 10], [1, 3, 5], keep=True, per_channel=False)
    dense("image_s8", [1, 2, 3, 4], [5, 24], [1, 5], per_channel=False, activation=RELU6)
    dense("per_tensor_s16", [1, 37], [11, 37], [1, 11], INT16, per_channel=False)
    dense("f32", [2, 12], [5, 12], [2, 5], FLOAT32, activation=RELU)


def define_transpose_conv():
    def transpose_conv(name, padding, stride, kernel, output_shape, type_code=INT8):
        @model(f"transpose_conv_{name}")
        def fill(builder):
            random = random_for(name)
            source = quantization(type_code, 0.05, -3)
            shape = builder.add_constant(output_shape)
            x = builder.add_input([1, 3, 4, 5], type_code, **source)
            weights, scales = add_int8_weights(builder, random, [output_shape[3], *kernel, 5], 0)
            bias = add_bias(builder, random, output_shape[3], scales, source["scale"], type_code)
            y = builder.add_tensor(output_shape, type_code, **quantization(type_code, 0.11, 5))
            builder.add_operator("TRANSPOSE_CONV", [shape, weights, x, bias], [y], "TransposeConvOptions",
                                 [int8(0, padding), int32(1, stride), int32(2, stride)])
            builder.add_output(y)

    transpose_conv("same_s8", SAME, 2, [3, 3], [1, 6, 8, 4])
    transpose_conv("valid_s8", VALID, 2, [2, 3], [1, 6, 9, 3])
    transpose_conv("same_s16", SAME, 2, [3, 3], [1, 6, 8, 4], INT16)


def unary(name, operator, type_code, input_shape, output_shape=None, options_type=None, options=(), constants=(),
          source=(0.05, -3), target=None):
    """A model of one operator with one input, constant operands after it, and one output."""
    @model(f"{name}_{TYPE_SUFFIX[type_code]}")
    def fill(builder):
        x = builder.add_input(input_shape, type_code, **quantization(type_code, *source))
        operands = [x, *(builder.add_constant(numpy.asarray(c, dtype=numpy.int32)) for c in constants)]
        y = builder.add_tensor(output_shape or input_shape, type_code, **quantization(type_code, *(target or source)))
        builder.add_operator(operator, operands, [y], options_type, options)
        builder.add_output(y)


def define_pools_and_softmax():
    def pool(name, operator, padding, stride, size, output_shape, type_code=INT8, activation=NONE):
        unary(name, operator, type_code, IMAGE, output_shape, "Pool2DOptions",
              [int8(0, padding), int32(1, stride), int32(2, stride), int32(3, size[1]), int32(4, size[0]),
               int8(5, activation)])

    for operator, name in (("AVERAGE_POOL_2D", "average_pool_2d"), ("MAX_POOL_2D", "max_pool_2d")):
        pool(f"{name}_same", operator, SAME, 2, [3, 2], [1, 3, 3, 4])
        pool(f"{name}_valid", operator, VALID, 1, [6, 5], [1, 1, 1, 4])
        pool(f"{name}_relu6", operator, VALID, 2, [2, 2], [1, 3, 2, 4], activation=RELU6)
        pool(f"{name}_same", operator, SAME, 2, [3, 2], [1, 3, 3, 4], INT16)
        pool(f"{name}_same", operator, SAME, 2, [3, 2], [1, 3, 3, 4], FLOAT32)
    for name, beta, shape in (("softmax", 1.0, [3, 10]), ("softmax_beta", 0.3, [1, 2, 3, 7])):
        unary(name, "SOFTMAX", INT8, shape, None, "SoftmaxOptions", [float32(0, beta)], target=(1 / 256, -128))
    unary("softmax", "SOFTMAX", INT16, [3, 10], None, "SoftmaxOptions", [float32(0, 1.0)], source=(0.03, 0),
          target=(100 / 32768, 0))
    unary("softmax", "SOFTMAX", FLOAT32, [3, 10], None, "SoftmaxOptions", [float32(0, 1.0)])


def define_activations():
    for type_code in (INT8, INT16, FLOAT32):
        is_int16 = type_code == INT16
        unary("leaky_relu", "LEAKY_RELU", type_code, [1, 97], None, "LeakyReluOptions", [float32(0, 0.13)],
              target=(0.04, 7))
        unary("logistic", "LOGISTIC", type_code, [1, 97], source=(0.03, 4),
              target=(100 / 32768, 0) if is_int16 else (1 / 256, -128))
        unary("tanh", "TANH", type_code, [1, 97], source=(0.03, 4),
              target=(100 / 32768, 0) if is_int16 else (1 / 128, 0))
    for type_code in (INT8, FLOAT32):
        unary("relu", "RELU", type_code, [1, 97], target=(0.03, -100))
        unary("relu6", "RELU6", type_code, [1, 97], target=(6 / 255, -128))
        unary("hard_swish", "HARD_SWISH", type_code, [1, 97], None, "HardSwishOptions", target=(0.03, -110))

    @model("prelu_s8")
    def fill(builder):
        alpha = random_for("prelu_s8").integers(-127, 128, [1, 1, 4])
        x = builder.add_input(IMAGE, INT8, scale=0.05, zero_point=-3)
        slope = builder.add_tensor([1, 1, 4], INT8, scale=0.008, zero_point=9, data=alpha)
        y = builder.add_tensor(IMAGE, INT8, scale=0.06, zero_point=11)
        builder.add_operator("PRELU", [x, slope], [y])
        builder.add_output(y)


def binary(name, operator, options_type, options, type_code, shapes, scales, constant=None):
    """A model of an element-wise operator on two inputs, or on one and a constant of the second shape."""
    full = f"{name}_{TYPE_SUFFIX[type_code]}"

    @model(full)
    def fill(builder):
        first, second, target = (quantization(type_code, *s) for s in scales)
        x1 = builder.add_input(shapes[0], type_code, **first)
        if constant:
            info = numpy.iinfo(numpy.int8 if type_code == INT8 else numpy.int16)
            values = random_for(full).integers(info.min + 1, info.max + 1, shapes[1])
            x2 = builder.add_tensor(shapes[1], type_code, data=values, **second)
        else:
            x2 = builder.add_input(shapes[1], type_code, **second)
        y = builder.add_tensor(numpy.broadcast_shapes(*shapes), type_code, **target)
        builder.add_operator(operator, [x1, x2], [y], options_type, options)
        builder.add_output(y)


def define_elementwise():
    scales = [(0.05, -3), (0.031, 8), (0.07, 2)]
    for operator, options_type in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions")):
        name = operator.lower()
        for type_code in (INT8, INT16, FLOAT32):
            binary(name, operator, options_type, [int8(0, NONE)], type_code, [IMAGE, IMAGE],
                   scales if operator != "MUL" else [*scales[:2], (0.09, 2)])
        binary(f"{name}_relu", operator, options_type, [int8(0, RELU)], INT8, [IMAGE, IMAGE], scales)
        binary(f"{name}_channel", operator, options_type, [int8(0, NONE)], INT8, [IMAGE, [4]], scales, "constant")
        binary(f"{name}_outer", operator, options_type, [int8(0, NONE)], INT8, [[1, 3, 1, 4], [1, 1, 5, 4]], scales)
        binary(f"{name}_scalar", operator, options_type, [int8(0, RELU6)], INT8, [IMAGE, []], scales, "constant")
    for operator in ("MINIMUM", "MAXIMUM"):
        same = [(0.05, -3)] * 3
        binary(operator.lower(), operator, "MaximumMinimumOptions", [], INT8, [IMAGE, IMAGE], same)
        binary(f"{operator.lower()}_channel", operator, "MaximumMinimumOptions", [], INT8, [IMAGE, [4]], same,
               "constant")
        binary(operator.lower(), operator, "MaximumMinimumOptions", [], FLOAT32, [IMAGE, IMAGE], same)


def define_reductions():
    for type_code in (INT8, INT16, FLOAT32):
        unary("mean_hw", "MEAN", type_code, IMAGE, [1, 1, 1, 4], "ReducerOptions", [boolean(0, True)], [[1, 2]],
              target=(0.03, 5))
    unary("mean_hw_flat", "MEAN", INT8, IMAGE, [1, 4], "ReducerOptions", [boolean(0, False)], [[1, 2]])
    unary("mean_channel", "MEAN", INT8, IMAGE, [1, 6, 5], "ReducerOptions", [boolean(0, False)], [[-1]],
          target=(0.03, 5))
    unary("reduce_max_hw", "REDUCE_MAX", INT8, IMAGE, [1, 1, 1, 4], "ReducerOptions", [boolean(0, True)], [[1, 2]])
    unary("reduce_max_channel", "REDUCE_MAX", INT8, IMAGE, [1, 6, 5], "ReducerOptions", [boolean(0, False)], [[3]])
    unary("reduce_max_hw", "REDUCE_MAX", FLOAT32, IMAGE, [1, 4], "ReducerOptions", [boolean(0, False)], [[1, 2]])


def define_movement():
    """Operators that only move bytes, with one data input."""
    pads = [[0, 0], [1, 2], [0, 3], [0, 0]]
    for type_code in (INT8, INT16, FLOAT32):
        unary("pad", "PAD", type_code, IMAGE, [1, 9, 8, 4], "PadOptions", constants=[pads])
        unary("strided_slice", "STRIDED_SLICE", type_code, IMAGE, [1, 3, 2, 3], "StridedSliceOptions",
              [int32(i, 0) for i in range(5)], [[0, 1, 0, 1], [1, 6, 5, 4], [1, 2, 3, 1]])
        unary("transpose_nchw", "TRANSPOSE", type_code, IMAGE, [1, 4, 6, 5], "TransposeOptions",
              constants=[[0, 3, 1, 2]])
        unary("reshape", "RESHAPE", type_code, IMAGE, [4, 30], "ReshapeOptions", [vector(0, [4, 30])], [[4, 30]])
    unary("pad_channel", "PAD", INT8, [2, 3, 4], [3, 3, 7], "PadOptions", constants=[[[1, 0], [0, 0], [2, 1]]])
    unary("strided_slice_masks", "STRIDED_SLICE", INT8, IMAGE, [6, 5, 2], "StridedSliceOptions",
          [int32(0, 2), int32(1, 4), int32(2, 0), int32(3, 0), int32(4, 1)],
          [[0, 3, 0, 2], [1, 6, 1, 4], [1, 1, 1, 1]])
    unary("transpose_swap", "TRANSPOSE", INT8, [5, 7], [7, 5], "TransposeOptions", constants=[[1, 0]])
    unary("squeeze", "SQUEEZE", INT8, [1, 1, 5, 4], [5, 4], "SqueezeOptions", [vector(0, [0, 1])])
    unary("expand_dims", "EXPAND_DIMS", INT8, [5, 4], [5, 1, 4], "ExpandDimsOptions", constants=[1])
    unary("gather_rows", "GATHER", INT8, [6, 5], [4, 5], "GatherOptions", [int32(0, 0)], [[5, 0, 3, 3]])
    unary("gather_columns", "GATHER", INT8, [6, 5], [6, 2], "GatherOptions", [int32(0, 1)], [[4, 1]])
    unary("resize_nearest", "RESIZE_NEAREST_NEIGHBOR", INT8, [1, 3, 4, 2], [1, 7, 8, 2],
          "ResizeNearestNeighborOptions", [boolean(0, False), boolean(1, False)], [[7, 8]])
    unary("resize_nearest_half_pixel", "RESIZE_NEAREST_NEIGHBOR", INT8, [1, 7, 8, 2], [1, 3, 5, 2],
          "ResizeNearestNeighborOptions", [boolean(0, False), boolean(1, True)], [[3, 5]])
    for name, align, half in (("", False, False), ("_aligned", True, False), ("_half_pixel", False, True)):
        for type_code in (INT8, FLOAT32):
            unary(f"resize_bilinear{name}", "RESIZE_BILINEAR", type_code, [1, 3, 4, 2], [1, 7, 9, 2],
                  "ResizeBilinearOptions", [boolean(2, align), boolean(3, half)], [[7, 9]])


def define_joins_and_parts():
    """Operators with several data inputs or outputs."""
    def many(name, operator, options_type, options, input_shapes, output_shapes, type_code=INT8, before=(), after=()):
        @model(f"{name}_{TYPE_SUFFIX[type_code]}")
        def fill(builder):
            same = quantization(type_code, 0.05, -3)
            inputs = [builder.add_input(shape, type_code, **same) for shape in input_shapes]
            head = [builder.add_constant(numpy.asarray(c, dtype=numpy.int32)) for c in before]
            tail = [builder.add_constant(numpy.asarray(c, dtype=numpy.int32)) for c in after]
            outputs = [builder.add_tensor(shape, type_code, **same) for shape in output_shapes]
            builder.add_operator(operator, [*head, *inputs, *tail], outputs, options_type, options)
            for output in outputs:
                builder.add_output(output)

    for type_code in (INT8, INT16, FLOAT32):
        many("concatenation_channel", "CONCATENATION", "ConcatenationOptions", [int32(0, -1)],
             [[1, 3, 4, 2], [1, 3, 4, 5], [1, 3, 4, 1]], [[1, 3, 4, 8]], type_code)
    many("concatenation_row", "CONCATENATION", "ConcatenationOptions", [int32(0, 1)], [[1, 3, 4, 2], [1, 2, 4, 2]],
         [[1, 5, 4, 2]])
    for type_code in (INT8, INT16, FLOAT32):
        many("split", "SPLIT", "SplitOptions", [int32(0, 3)], [[1, 4, 6]], [[1, 4, 2]] * 3, type_code, before=[2])
    many("split_row", "SPLIT", "SplitOptions", [int32(0, 2)], [[1, 4, 6]], [[1, 2, 6]] * 2, before=[1])
    many("split_v", "SPLIT_V", "SplitVOptions", [int32(0, 3)], [[2, 6]], [[2, 1], [2, 3], [2, 2]],
         after=[[1, 3, 2], 1])
    many("pack", "PACK", "PackOptions", [int32(0, 3), int32(1, 1)], [[2, 5]] * 3, [[2, 3, 5]])
    many("pack_front", "PACK", "PackOptions", [int32(0, 2), int32(1, 0)], [[2, 5]] * 2, [[2, 2, 5]])
    many("unpack", "UNPACK", "UnpackOptions", [int32(0, 3), int32(1, 1)], [[2, 3, 5]], [[2, 5]] * 3)


def define_others():
    @model("padv2_s8")
    def fill_padv2(builder):
        quantized = {"scale": 0.05, "zero_point": -3}
        x = builder.add_input(IMAGE, INT8, **quantized)
        pads = builder.add_constant([[0, 0], [1, 1], [2, 0], [0, 0]])
        value = builder.add_tensor([1], INT8, data=[77], **quantized)
        y = builder.add_tensor([1, 8, 7, 4], INT8, **quantized)
        builder.add_operator("PADV2", [x, pads, value], [y], "PadV2Options")
        builder.add_output(y)

    @model("shape_s8")
    def fill_shape(builder):
        x = builder.add_input(IMAGE, INT8, scale=0.05)
        y = builder.add_tensor([4], INT32)
        builder.add_operator("SHAPE", [x], [y], "ShapeOptions", [int8(0, INT32)])
        builder.add_output(y)

    def quantize(name, operator, source, target):
        @model(name)
        def fill(builder):
            x = builder.add_input([1, 97], source[0], **source[1])
            y = builder.add_tensor([1, 97], target[0], **target[1])
            builder.add_operator(operator, [x], [y], f"{operator.capitalize()}Options")
            builder.add_output(y)

    s8, s8_other, s16 = {"scale": 0.05, "zero_point": -3}, {"scale": 0.071, "zero_point": 20}, {"scale": 0.0004}
    quantize("quantize_f32_s8", "QUANTIZE", (FLOAT32, {}), (INT8, {"scale": 0.009, "zero_point": 6}))
    quantize("quantize_s8_s8", "QUANTIZE", (INT8, s8), (INT8, s8_other))
    quantize("quantize_s16_s8", "QUANTIZE", (INT16, s16), (INT8, s8))
    quantize("quantize_s8_s16", "QUANTIZE", (INT8, s8), (INT16, s16))
    quantize("dequantize_s8_f32", "DEQUANTIZE", (INT8, s8), (FLOAT32, {}))


def define_state():
    """Operators that keep something between inferences."""
    def svdf(name, state_type, state_scale, time_scale):
        @model(name)
        def fill(builder):
            random = random_for(name)
            features, units, rank, memory = 12, 4, 2, 5
            filters = units * rank
            x = builder.add_input([1, features], INT8, scale=0.05, zero_point=-3)
            feature = builder.add_tensor([filters, features], INT8, scale=0.01,
                                         data=random.integers(-127, 128, [filters, features]))
            limit = 127 if state_type == INT8 else 20000
            time = builder.add_tensor([filters, memory], state_type, scale=time_scale,
                                      data=random.integers(-limit, limit, [filters, memory]))
            bias = builder.add_tensor([units], INT32, scale=state_scale * time_scale,
                                      data=numpy.rint(random.normal(0, 0.3, units) / (state_scale * time_scale)))
            state = builder.add_tensor([1, filters * memory], state_type, scale=state_scale, is_variable=True)
            y = builder.add_tensor([1, units], INT8, scale=0.05, zero_point=-100)
            builder.add_operator("SVDF", [x, feature, time, bias, state], [y], "SVDFOptions",
                                 [int32(0, rank), int8(1, RELU)])
            builder.add_output(y)

    svdf("svdf_s8", INT8, 0.1, 0.006)
    svdf("svdf_state_s16", INT16, 0.0007, 0.00004)
    MODELS["unidirectional_sequence_lstm_s8"] = fill_lstm
    MODELS["variables_s8"] = fill_variables


def fill_lstm(builder):
    """Five steps of seven features into six cells."""
    random = random_for("lstm")
    steps, features, cells = 5, 7, 6
    hidden = {"scale": 1 / 128, "zero_point": 2}
    x = builder.add_input([1, steps, features], INT8, scale=0.02, zero_point=-5)

    def weights(columns):
        return builder.add_tensor([cells, columns], INT8, scale=float(random.uniform(0.006, 0.012)),
                                  data=random.integers(-127, 128, [cells, columns]))

    input_weights = [weights(features) for _ in range(4)]
    recurrent_weights = [weights(cells) for _ in range(4)]
    biases = [builder.add_tensor([cells], INT32, scale=0.0002, data=random.integers(-3000, 3000, [cells]))
              for _ in range(4)]
    output_state = builder.add_tensor([1, cells], INT8, is_variable=True, **hidden)
    cell_state = builder.add_tensor([1, cells], INT16, scale=2.0**-12, is_variable=True)
    gates = [builder.add_tensor([0], FLOAT32) for _ in range(4)]
    hidden_intermediate = builder.add_tensor([0], INT8, **hidden)
    y = builder.add_tensor([1, steps, cells], INT8, **hidden)
    absent = NO_TENSOR
    operands = [x, *input_weights, *recurrent_weights, absent, absent, absent, *biases, absent, absent, output_state,
                cell_state, absent, absent, absent, absent]
    builder.add_operator("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, [y], "UnidirectionalSequenceLSTMOptions",
                         [int8(0, 4), float32(1, 8.0)], intermediates=[*gates, hidden_intermediate])
    builder.add_output(y)


def fill_variables(builder):
    """A running maximum kept in a variable, set up by a second subgraph that runs once."""
    shape, quantized = [1, 16], {"scale": 0.05, "zero_point": -3}

    def handle():
        tensor = builder.add_tensor([], RESOURCE)
        builder.add_operator("VAR_HANDLE", [], [tensor], "VarHandleOptions", [string(0, ""), string(1, "state")])
        return tensor

    builder.add_operator("CALL_ONCE", [], [], "CallOnceOptions", [int32(0, 1)])
    x = builder.add_input(shape, INT8, **quantized)
    variable = handle()
    old = builder.add_tensor(shape, INT8, **quantized)
    builder.add_operator("READ_VARIABLE", [variable], [old], "ReadVariableOptions")
    y = builder.add_tensor(shape, INT8, **quantized)
    builder.add_operator("MAXIMUM", [x, old], [y], "MaximumMinimumOptions")
    builder.add_operator("ASSIGN_VARIABLE", [variable, y], [], "AssignVariableOptions")
    builder.add_output(y)
    builder.begin_subgraph("initialise")
    first = handle()
    start = builder.add_tensor(shape, INT8, data=numpy.arange(-20, -4).reshape(shape), **quantized)
    builder.add_operator("ASSIGN_VARIABLE", [first, start], [], "AssignVariableOptions")


def define_all():
    for define in (define_convolutions, define_fully_connected, define_transpose_conv, define_pools_and_softmax,
                   define_activations, define_elementwise, define_reductions, define_movement,
                   define_joins_and_parts, define_others, define_state):
        define()


# The pinned reference does not know half-pixel centres in this operator; newer ones do. Golden vectors of one of those,
# as their field `reference` says, are in the tree and stay there.
GOLDEN_OF_NEWER_REFERENCE = {"resize_nearest_half_pixel_s8"}


def build(name):
    """The folder below tests/models and the bytes of a model."""
    if name in NETWORKS:
        return "networks", NETWORKS[name]()
    builder = ModelBuilder(f"operator test {name}")
    MODELS[name](builder)
    return "operators", builder.build()


def main():
    define_all()
    names = sys.argv[1:] or sorted([*MODELS, *NETWORKS])
    unknown = set(names) - set(MODELS) - set(NETWORKS)
    if unknown:
        sys.exit(f"make_test_models: no model is called {sorted(unknown)}")
    failed = []
    for name in names:
        folder, data = build(name)
        path = ROOT / "tests/models" / folder / f"{name}.tflite"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if name in GOLDEN_OF_NEWER_REFERENCE:
            continue
        try:
            make_golden.write_golden(path, ROOT / "tests/golden" / folder / f"{name}.json")
        except (RuntimeError, ValueError) as error:
            path.unlink()
            failed.append(f"{name}: {str(error).splitlines()[0]}")
    print(f"{len(names) - len(failed)} models written")
    if failed:
        sys.exit("the reference refuses:\n  " + "\n  ".join(failed))


if __name__ == "__main__":
    main()
