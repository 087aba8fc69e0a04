// SPDX-License-Identifier: Apache-2.0
#include "engine/operator_table.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

constexpr const Operator* kAllOperators[] = {
    &kAdd,
    &kAssignVariable,
    &kAveragePool2d,
    &kCallOnce,
    &kCast,
    &kConcatenation,
    &kConv2d,
    &kDepthwiseConv2d,
    &kDequantize,
    &kDiv,
    &kExpandDims,
    &kFullyConnected,
    &kGather,
    &kHardSwish,
    &kLeakyRelu,
    &kLogistic,
    &kMaxPool2d,
    &kMaximum,
    &kMean,
    &kMinimum,
    &kMul,
    &kPack,
    &kPad,
    &kPadV2,
    &kPrelu,
    &kQuantize,
    &kReadVariable,
    &kReduceMax,
    &kRelu,
    &kRelu6,
    &kReshape,
    &kResizeBilinear,
    &kResizeNearestNeighbor,
    &kShape,
    &kSignalEnergy,
    &kSignalFftAutoScale,
    &kSignalFilterBank,
    &kSignalFilterBankLog,
    &kSignalFilterBankSpectralSubtraction,
    &kSignalFilterBankSquareRoot,
    &kSignalPcan,
    &kSignalRfft,
    &kSignalWindow,
    &kSoftmax,
    &kSplit,
    &kSplitV,
    &kSqueeze,
    &kStridedSlice,
    &kSub,
    &kSvdf,
    &kTanh,
    &kTranspose,
    &kTransposeConv,
    &kUnidirectionalSequenceLstm,
    &kUnpack,
    &kVarHandle,
};

}  // namespace

OperatorTable AllOperators() { return kAllOperators; }

}  // namespace ota::engine
