#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes engine/kernels/softmax_tables.cc: the two tables of SOFTMAX on int16.

513 samples each of exp over [-10, 0] and of 1 / (1 + x) over [0, 1], in Q0.15, every sample moved by half
the error that linear interpolation makes in the middle of its interval. All arithmetic is in float32, as
TensorFlow Lite computes its tables, so that the results are the same.

Usage: tools/generate_softmax_tables.py > engine/kernels/softmax_tables.cc
"""
import math
import struct

STEPS = 512


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def round_half_away(value):
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def make_table(input_scale, input_zero_point, function):
    output_scale = f32(2.0 / 65535)
    input_min = f32(input_scale * (-32768 - input_zero_point))
    input_max = f32(input_scale * (32767 - input_zero_point))
    output_min = f32(output_scale * -32768)
    output_max = f32(output_scale * 32767)
    step = f32(f32(input_max - input_min) / STEPS)
    half_step = f32(step / 2)
    inverse = f32(65536 / f32(output_max - output_min))

    def scaled(x):
        return f32(f32(function(x)) * inverse)

    table = []
    for i in range(STEPS):
        at = f32(input_min + f32(i * step))
        sample = round_half_away(scaled(at))
        after = scaled(f32(input_min + f32((i + 1) * step)))
        interpolated = round_half_away(f32(f32(after + sample) / 2))
        middle = round_half_away(scaled(f32(at + half_step)))
        bias = round_half_away((interpolated - middle) / 2)
        table.append(min(max(sample - bias, -32768), 32767))
    table.append(min(max(round_half_away(scaled(input_max)), -32768), 32767))
    return table


def print_table(name, table):
    print(f"const int16_t {name}[kSoftmaxTableSize] = {{")
    line = "   "
    for value in table:
        text = f" {value},"
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line)
    print("};")


def main():
    print("// SPDX-License-Identifier: Apache-2.0")
    print("// Made by tools/generate_softmax_tables.py.")
    print('#include "engine/kernels/softmax_tables.h"\n')
    print("namespace ota::engine {\n")
    print("// clang-format off")
    print_table("kExpTable", make_table(f32(10.0 / 65535), 32767, math.exp))
    print()
    print_table("kReciprocalTable", make_table(f32(1.0 / 65535), -32768, lambda x: 1 / (1 + x)))
    print("// clang-format on")
    print("\n}  // namespace ota::engine")


if __name__ == "__main__":
    main()
