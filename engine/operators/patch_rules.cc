// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/patch_rules.h"

#include "formats/tflite/schema.h"

namespace ota::engine {

namespace {

using formats::OperatorCode;

constexpr int32_t CodeOf(OperatorCode code) { return static_cast<int32_t>(code); }

constexpr PatchRule kRules[] = {
    {CodeOf(OperatorCode::kAdd), AllowSumRows, SelectSumRows},
    {CodeOf(OperatorCode::kAveragePool2d), AllowPoolRows, SelectPoolRows},
    {CodeOf(OperatorCode::kConv2d), AllowConvolutionRows, SelectConvolutionRows},
    {CodeOf(OperatorCode::kDepthwiseConv2d), AllowConvolutionRows, SelectConvolutionRows},
    {CodeOf(OperatorCode::kHardSwish), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kLeakyRelu), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kLogistic), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kMaxPool2d), AllowPoolRows, SelectPoolRows},
    {CodeOf(OperatorCode::kMul), AllowMulRows, SelectMulRows},
    {CodeOf(OperatorCode::kPad), AllowPadRows, SelectPadRows},
    {CodeOf(OperatorCode::kPadV2), AllowPadRows, SelectPadRows},
    {CodeOf(OperatorCode::kRelu), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kRelu6), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kStridedSlice), AllowGatheredRows, SelectGatheredRows},
    {CodeOf(OperatorCode::kSub), AllowSumRows, SelectSumRows},
    {CodeOf(OperatorCode::kTanh), AllowUnaryRows, SelectUnaryRows},
    {CodeOf(OperatorCode::kTranspose), AllowGatheredRows, SelectGatheredRows},
};

}  // namespace

const PatchRule* FindPatchRule(int32_t code) {
  for (const PatchRule& rule : kRules) {
    if (rule.code == code) return &rule;
  }
  return nullptr;
}

}  // namespace ota::engine
