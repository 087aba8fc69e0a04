# SPDX-License-Identifier: Apache-2.0
"""Builds .tflite flatbuffers table by table, without TensorFlow: for models whose exact shape matters.

    builder = ModelBuilder("what it is")
    x = builder.add_input([1, 8], INT8, scale=0.1)
    y = builder.add_tensor([1, 8], INT8, scale=0.1)
    builder.add_operator("TANH", [x], [y])
    builder.add_output(y)
    data = builder.build()

The same calls give the same bytes. Field numbers are those of the public TensorFlow Lite schema, version 3.
"""

import flatbuffers
import numpy
from tflite import BuiltinOperator, BuiltinOptions, TensorType

FLOAT32, INT8, INT16 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16
INT32, INT64, UINT8, BOOL = TensorType.INT32, TensorType.INT64, TensorType.UINT8, TensorType.BOOL
RESOURCE = TensorType.RESOURCE
DTYPES = {FLOAT32: "<f4", INT8: "i1", INT16: "<i2", INT32: "<i4", INT64: "<i8", UINT8: "u1", BOOL: "?"}
BUFFER_ALIGNMENT = 16
SCHEMA_VERSION = 3
NO_TENSOR = -1


class Field:
    """One value of an option table: `kind` is the flatbuffers writer, as in "Int8" or "Float32"."""

    def __init__(self, slot, kind, value):
        self.slot, self.kind, self.value = slot, kind, value


def int8(slot, value):
    return Field(slot, "Int8", value)


def int32(slot, value):
    return Field(slot, "Int32", value)


def float32(slot, value):
    return Field(slot, "Float32", value)


def boolean(slot, value):
    return Field(slot, "Bool", value)


def string(slot, value):
    return Field(slot, "String", value)


def vector(slot, values):
    return Field(slot, "Vector", values)


class Subgraph:
    """Tensors, operators, inputs and outputs of one subgraph, as plain lists until it is written."""

    def __init__(self, name):
        self.name, self.tensors, self.operators, self.inputs, self.outputs = name, [], [], [], []


class ModelBuilder:
    """A model in the making; its calls go to the current subgraph (the first unless begin_subgraph was called)."""

    def __init__(self, description):
        self._description = description
        self._codes = []
        self._buffers = [b""]
        self._subgraphs = [Subgraph("main")]

    def begin_subgraph(self, name):
        """Later calls add to a new subgraph; returns its index."""
        self._subgraphs.append(Subgraph(name))
        return len(self._subgraphs) - 1

    def add_tensor(self, shape, type_code, scale=None, zero_point=0, data=None, axis=0, is_variable=False, name=None):
        """Adds a tensor, returns its index. `scale`: a number, or one per channel along `axis`; None: not quantized."""
        tensors = self._subgraphs[-1].tensors
        buffer = 0
        if data is not None:
            array = numpy.asarray(data).astype(DTYPES[type_code])
            if list(array.shape) != list(shape):
                raise ValueError(f"data of shape {array.shape} for a tensor of shape {shape}")
            self._buffers.append(array.tobytes())
            buffer = len(self._buffers) - 1
        scales = None if scale is None else [float(s) for s in numpy.atleast_1d(scale)]
        tensors.append({"shape": [int(d) for d in shape], "type": type_code, "buffer": buffer, "axis": axis,
                        "scales": scales, "zero_point": zero_point, "is_variable": is_variable,
                        "name": name or f"tensor_{len(tensors)}"})
        return len(tensors) - 1

    def add_constant(self, values, type_code=INT32, **rest):
        """A tensor with data, shaped as `values`."""
        return self.add_tensor(numpy.shape(values), type_code, data=values, **rest)

    def add_input(self, shape, type_code, **rest):
        index = self.add_tensor(shape, type_code, **rest)
        self._subgraphs[-1].inputs.append(index)
        return index

    def add_output(self, index):
        self._subgraphs[-1].outputs.append(index)

    def add_operator(self, name, inputs, outputs, options_type=None, options=(), intermediates=()):
        """Appends an operator. `options_type` names the union member, `options` its fields."""
        code = getattr(BuiltinOperator, name)
        if code not in self._codes:
            self._codes.append(code)
        self._subgraphs[-1].operators.append((self._codes.index(code), list(inputs), list(outputs), options_type,
                                              list(options), list(intermediates)))

    def build(self):
        """The flatbuffer."""
        writer = flatbuffers.Builder(sum(map(len, self._buffers)) + 65536)
        buffers = write_vector(writer, [write_buffer(writer, data) for data in self._buffers])
        subgraphs = write_vector(writer, [write_subgraph(writer, graph) for graph in self._subgraphs])
        codes = write_vector(writer, [write_operator_code(writer, code) for code in self._codes])
        description = writer.CreateString(self._description)
        writer.StartObject(8)
        writer.PrependUint32Slot(0, SCHEMA_VERSION, 0)
        for slot, offset in ((1, codes), (2, subgraphs), (3, description), (4, buffers)):
            writer.PrependUOffsetTRelativeSlot(slot, offset, 0)
        writer.Finish(writer.EndObject(), file_identifier=b"TFL3")
        return bytes(writer.Output())


def write_vector(writer, offsets):
    writer.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        writer.PrependUOffsetTRelative(offset)
    return writer.EndVector()


def write_numbers(writer, values, dtype):
    return writer.CreateNumpyVector(numpy.asarray(values, dtype=dtype))


def write_buffer(writer, data):
    vector = None
    if data:
        writer.StartVector(1, len(data), BUFFER_ALIGNMENT)
        writer.head -= len(data)
        writer.Bytes[writer.head:writer.head + len(data)] = data
        vector = writer.EndVector()
    writer.StartObject(3)
    if vector is not None:
        writer.PrependUOffsetTRelativeSlot(0, vector, 0)
    return writer.EndObject()


def write_operator_code(writer, code):
    writer.StartObject(4)
    writer.PrependInt8Slot(0, min(code, 127), 0)
    writer.PrependInt32Slot(2, 1, 0)
    writer.PrependInt32Slot(3, code, 0)
    return writer.EndObject()


def write_quantization(writer, tensor):
    scales = write_numbers(writer, tensor["scales"], "<f4")
    zero_points = write_numbers(writer, [tensor["zero_point"]] * len(tensor["scales"]), "<i8")
    writer.StartObject(7)
    writer.PrependUOffsetTRelativeSlot(2, scales, 0)
    writer.PrependUOffsetTRelativeSlot(3, zero_points, 0)
    writer.PrependInt32Slot(6, tensor["axis"], 0)
    return writer.EndObject()


def write_tensor(writer, tensor):
    name = writer.CreateString(tensor["name"])
    shape = write_numbers(writer, tensor["shape"], "<i4")
    quantization = write_quantization(writer, tensor) if tensor["scales"] else 0
    writer.StartObject(10)
    writer.PrependUOffsetTRelativeSlot(0, shape, 0)
    writer.PrependInt8Slot(1, tensor["type"], 0)
    writer.PrependUint32Slot(2, tensor["buffer"], 0)
    writer.PrependUOffsetTRelativeSlot(3, name, 0)
    writer.PrependUOffsetTRelativeSlot(4, quantization, 0)
    writer.PrependBoolSlot(5, tensor["is_variable"], False)
    return writer.EndObject()


def write_operator(writer, operator):
    code, inputs, outputs, options_type, options, intermediates = operator
    input_vector, output_vector = write_numbers(writer, inputs, "<i4"), write_numbers(writer, outputs, "<i4")
    intermediate_vector = write_numbers(writer, intermediates, "<i4") if intermediates else 0
    option_table = write_options(writer, options) if options_type else 0
    writer.StartObject(9)
    writer.PrependUint32Slot(0, code, 0)
    writer.PrependUOffsetTRelativeSlot(1, input_vector, 0)
    writer.PrependUOffsetTRelativeSlot(2, output_vector, 0)
    if options_type:
        writer.PrependUint8Slot(3, getattr(BuiltinOptions, options_type), 0)
        writer.PrependUOffsetTRelativeSlot(4, option_table, 0)
    writer.PrependUOffsetTRelativeSlot(8, intermediate_vector, 0)
    return writer.EndObject()


def write_options(writer, options):
    """An option table; a field whose value is a list of numbers becomes a vector of int32, a string a string."""
    ready = []
    for field in options:
        if field.kind == "String":
            ready.append(Field(field.slot, "Offset", writer.CreateString(field.value)))
        elif field.kind == "Vector":
            ready.append(Field(field.slot, "Offset", write_numbers(writer, field.value, "<i4")))
        else:
            ready.append(field)
    writer.StartObject(max((field.slot for field in ready), default=-1) + 1)
    for field in ready:
        if field.kind == "Offset":
            writer.PrependUOffsetTRelativeSlot(field.slot, field.value, 0)
        else:
            getattr(writer, f"Prepend{field.kind}Slot")(field.slot, field.value, None)
    return writer.EndObject()


def write_subgraph(writer, graph):
    tensors = write_vector(writer, [write_tensor(writer, tensor) for tensor in graph.tensors])
    operators = write_vector(writer, [write_operator(writer, operator) for operator in graph.operators])
    inputs, outputs = write_numbers(writer, graph.inputs, "<i4"), write_numbers(writer, graph.outputs, "<i4")
    name = writer.CreateString(graph.name)
    writer.StartObject(5)
    for slot, offset in enumerate((tensors, inputs, outputs, operators, name)):
        writer.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return writer.EndObject()
