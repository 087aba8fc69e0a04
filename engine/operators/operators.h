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
extern const Operator kSvdf;
extern const Operator kUnidirectionalSequenceLstm;

// The audio front end: custom operators of TensorFlow Lite Micro's signal library.
extern const Operator kSignalEnergy;
extern const Operator kSignalFftAutoScale;
extern const Operator kSignalFilterBank;
extern const Operator kSignalFilterBankLog;
extern const Operator kSignalFilterBankSpectralSubtraction;
extern const Operator kSignalFilterBankSquareRoot;
extern const Operator kSignalPcan;
extern const Operator kSignalRfft;
extern const Operator kSignalWindow;

}  // namespace ota::engine
