// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/operator_table.h"

// The operators, one file each. What a program does not name is not linked.

namespace ota::engine {

extern const Operator kAdd;
extern const Operator kAssignVariable;
extern const Operator kAveragePool2d;
extern const Operator kCallOnce;
extern const Operator kCast;
extern const Operator kConcatenation;
extern const Operator kConv2d;
extern const Operator kDepthwiseConv2d;
extern const Operator kDequantize;
extern const Operator kDiv;
extern const Operator kExpandDims;
extern const Operator kFullyConnected;
extern const Operator kGather;
extern const Operator kHardSwish;
extern const Operator kLeakyRelu;
extern const Operator kLogistic;
extern const Operator kMaxPool2d;
extern const Operator kMaximum;
extern const Operator kMean;
extern const Operator kMinimum;
extern const Operator kMul;
extern const Operator kPack;
extern const Operator kPad;
extern const Operator kPadV2;
extern const Operator kPrelu;
extern const Operator kQuantize;
extern const Operator kReadVariable;
extern const Operator kReduceMax;
extern const Operator kRelu;
extern const Operator kRelu6;
extern const Operator kReshape;
extern const Operator kResizeBilinear;
extern const Operator kResizeNearestNeighbor;
extern const Operator kShape;
extern const Operator kSignalEnergy;
extern const Operator kSignalFftAutoScale;
extern const Operator kSignalFilterBank;
extern const Operator kSignalFilterBankLog;
extern const Operator kSignalFilterBankSpectralSubtraction;
extern const Operator kSignalFilterBankSquareRoot;
extern const Operator kSignalPcan;
extern const Operator kSignalRfft;
extern const Operator kSignalWindow;
extern const Operator kSoftmax;
extern const Operator kSplit;
extern const Operator kSplitV;
extern const Operator kSqueeze;
extern const Operator kStridedSlice;
extern const Operator kSub;
extern const Operator kSvdf;
extern const Operator kTanh;
extern const Operator kTranspose;
extern const Operator kTransposeConv;
extern const Operator kUnidirectionalSequenceLstm;
extern const Operator kUnpack;
extern const Operator kVarHandle;

// Of these, variants that take int8 alone, for programs whose models have nothing else: float and
// int16 are then not linked. Of ADD inputs must be as large as the output.
extern const Operator kAddInt8;
extern const Operator kAveragePool2dInt8;
extern const Operator kConv2dInt8;
extern const Operator kDepthwiseConv2dInt8;
extern const Operator kFullyConnectedInt8;
extern const Operator kSoftmaxInt8;

}  // namespace ota::engine
