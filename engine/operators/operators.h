// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operator_table.h"

// The operators, one file each. What a program does not name is not linked.

namespace ota::engine {

extern const Operator kAveragePool2d;
extern const Operator kConv2d;
extern const Operator kDepthwiseConv2d;
extern const Operator kDequantize;
extern const Operator kFullyConnected;
extern const Operator kMaxPool2d;
extern const Operator kQuantize;
extern const Operator kReshape;
extern const Operator kSoftmax;

}  // namespace ota::engine
