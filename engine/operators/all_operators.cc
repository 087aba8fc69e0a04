// SPDX-License-Identifier: Apache-2.0
#include "engine/operator_table.h"
#include "engine/operators/operators.h"

namespace ota::engine {

namespace {

constexpr const Operator* kAllOperators[] = {
    &kAveragePool2d,
    &kConv2d,
    &kDepthwiseConv2d,
    &kDequantize,
    &kFullyConnected,
    &kMaxPool2d,
    &kQuantize,
    &kReshape,
    &kSoftmax,
    &kSvdf,
    &kUnidirectionalSequenceLstm,
    &kSignalEnergy,
    &kSignalFftAutoScale,
    &kSignalFilterBank,
    &kSignalFilterBankLog,
    &kSignalFilterBankSpectralSubtraction,
    &kSignalFilterBankSquareRoot,
    &kSignalPcan,
    &kSignalRfft,
    &kSignalWindow,
};

}  // namespace

OperatorTable AllOperators() { return kAllOperators; }

}  // namespace ota::engine
