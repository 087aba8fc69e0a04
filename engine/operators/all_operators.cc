// SPDX-License-Identifier: Apache-2.0
#include "engine/operator_table.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

constexpr const Operator* kAllOperators[] = {
    &kAdd,
    &kAveragePool2d,
    &kCast,
    &kConcatenation,
    &kConv2d,
    &kDepthwiseConv2d,
    &kDequantize,
    &kDiv,
    &kExpandDims,
    &kFullyConnected,
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
    &kReduceMax,
    &kRelu,
    &kRelu6,
    &kReshape,
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
};

}  // namespace

OperatorTable AllOperators() { return kAllOperators; }

}  // namespace ota::engine
