// SPDX-License-Identifier: Apache-2.0
#include "engine/test_models.h"

#include "base/prng.h"

namespace ota::engine {

using formats::OperatorCode;
using formats::OperatorSpec;
using formats::OptionF32;
using formats::OptionField;
using formats::OptionI32;
using formats::OptionText;
using formats::OptionU8;
using formats::SubgraphSpec;
using formats::TensorSpec;
using formats::TensorType;
using formats::ToBytes;

namespace {

uint32_t CountElements(const std::vector<int32_t>& shape) {
  uint32_t count = 1;
  for (const int32_t size : shape) count *= static_cast<uint32_t>(size);
  return count;
}

std::vector<uint8_t> RandomBytes(uint32_t count, uint32_t seed) {
  Prng prng(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(prng.Next() >> 8);
  return bytes;
}

TensorSpec Activation(TensorType type, std::vector<int32_t> shape, float scale = 0.05f,
                      int32_t zero_point = 3) {
  TensorSpec tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  if (type == TensorType::kInt16) zero_point = 0;
  if (type == TensorType::kInt8 || type == TensorType::kInt16) {
    tensor.scales = {scale};
    tensor.zero_point = zero_point;
  }
  return tensor;
}

TensorSpec Weights(TensorType type, std::vector<int32_t> shape, uint32_t channels,
                   int32_t channel_dimension, uint32_t seed) {
  TensorSpec tensor;
  tensor.shape = shape;
  tensor.type = type == TensorType::kFloat32 ? type : TensorType::kInt8;
  const uint32_t count = CountElements(shape);
  if (type == TensorType::kFloat32) {
    Prng prng(seed);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(prng.NextBelow(200)) * 0.01f - 1.0f;
    tensor.data = ToBytes(values);
    return tensor;
  }
  tensor.data = RandomBytes(count, seed);
  for (uint32_t i = 0; i < channels; ++i) {
    tensor.scales.push_back(0.002f + 0.0003f * static_cast<float>(i));
  }
  tensor.channel_dimension = channel_dimension;
  return tensor;
}

TensorSpec Bias(TensorType type, uint32_t count, uint32_t seed) {
  Prng prng(seed);
  TensorSpec tensor;
  tensor.shape = {static_cast<int32_t>(count)};
  std::vector<int32_t> values(count);
  for (int32_t& value : values) value = static_cast<int32_t>(prng.NextBelow(2000)) - 1000;
  if (type == TensorType::kInt8) {
    tensor.type = TensorType::kInt32;
    tensor.data = ToBytes(values);
  } else if (type == TensorType::kInt16) {
    tensor.type = TensorType::kInt64;
    tensor.data = ToBytes(std::vector<int64_t>(values.begin(), values.end()));
  } else {
    tensor.type = TensorType::kFloat32;
    tensor.data = ToBytes(std::vector<float>(values.begin(), values.end()));
  }
  return tensor;
}

TensorSpec Int32s(std::vector<int32_t> values, std::vector<int32_t> shape) {
  TensorSpec tensor;
  tensor.type = TensorType::kInt32;
  tensor.shape = std::move(shape);
  tensor.data = ToBytes(values);
  return tensor;
}

// A model of one operator: activations first, then constants, then outputs.
TestModel MakeSingle(std::string name, OperatorCode code, std::vector<TensorSpec> inputs,
                     std::vector<TensorSpec> outputs, std::vector<OptionField> options = {}) {
  TestModel model{std::move(name), {}};
  OperatorSpec entry{code, {}, {}, std::move(options)};
  for (TensorSpec& tensor : inputs) {
    const auto index = static_cast<int32_t>(model.graph.tensors.size());
    if (tensor.data.empty()) model.graph.inputs.push_back(index);
    entry.inputs.push_back(index);
    model.graph.tensors.push_back(std::move(tensor));
  }
  for (TensorSpec& tensor : outputs) {
    const auto index = static_cast<int32_t>(model.graph.tensors.size());
    model.graph.outputs.push_back(index);
    entry.outputs.push_back(index);
    model.graph.tensors.push_back(std::move(tensor));
  }
  model.graph.operators.push_back(std::move(entry));
  return model;
}

constexpr TensorType kActivationTypes[] = {TensorType::kInt8, TensorType::kInt16,
                                           TensorType::kFloat32};

void AddWindows(TensorType type, const std::string& suffix, std::vector<TestModel>& models) {
  const std::vector<OptionField> same = {OptionI32(1, 1), OptionI32(2, 1)};
  models.push_back(MakeSingle(
      "conv_2d" + suffix, OperatorCode::kConv2d,
      {Activation(type, {1, 6, 5, 3}), Weights(type, {7, 3, 3, 3}, 7, 0, 1), Bias(type, 7, 2)},
      {Activation(type, {1, 6, 5, 7}, 0.1f, -5)},
      {OptionI32(1, 1), OptionI32(2, 1), OptionU8(3, 1)}));
  models.push_back(MakeSingle(
      "conv_2d_wide" + suffix, OperatorCode::kConv2d,
      {Activation(type, {2, 4, 4, 40}), Weights(type, {5, 3, 3, 40}, 1, 0, 3), Bias(type, 5, 4)},
      {Activation(type, {2, 1, 1, 5}, 0.3f)}, {OptionU8(0, 1), OptionI32(1, 2), OptionI32(2, 2)}));
  models.push_back(MakeSingle(
      "conv_2d_pointwise" + suffix, OperatorCode::kConv2d,
      {Activation(type, {1, 5, 4, 8}), Weights(type, {16, 1, 1, 8}, 16, 0, 5), Bias(type, 16, 6)},
      {Activation(type, {1, 5, 4, 16}, 0.1f)}, same));
  models.push_back(MakeSingle(
      "conv_2d_grouped" + suffix, OperatorCode::kConv2d,
      {Activation(type, {1, 4, 4, 4}), Weights(type, {6, 2, 2, 2}, 6, 0, 7), Bias(type, 6, 8)},
      {Activation(type, {1, 4, 4, 6}, 0.1f)}, same));
  models.push_back(MakeSingle(
      "depthwise_conv_2d" + suffix, OperatorCode::kDepthwiseConv2d,
      {Activation(type, {1, 7, 6, 4}), Weights(type, {1, 3, 3, 4}, 4, 3, 9), Bias(type, 4, 10)},
      {Activation(type, {1, 4, 3, 4}, 0.1f)},
      {OptionI32(1, 2), OptionI32(2, 2), OptionI32(3, 1), OptionU8(4, 3)}));
  models.push_back(MakeSingle(
      "depthwise_conv_2d_multiplied" + suffix, OperatorCode::kDepthwiseConv2d,
      {Activation(type, {1, 5, 5, 1}), Weights(type, {1, 4, 3, 8}, 8, 3, 11), Bias(type, 8, 12)},
      {Activation(type, {1, 5, 5, 8}, 0.1f)}, {OptionI32(1, 1), OptionI32(2, 1), OptionI32(3, 8)}));
  models.push_back(MakeSingle(
      "depthwise_conv_2d_dilated" + suffix, OperatorCode::kDepthwiseConv2d,
      {Activation(type, {1, 7, 7, 20}), Weights(type, {1, 3, 3, 20}, 1, 3, 13)},
      {Activation(type, {1, 3, 3, 20}, 0.1f)},
      {OptionU8(0, 1), OptionI32(1, 1), OptionI32(2, 1), OptionI32(5, 2), OptionI32(6, 2)}));
  models.push_back(
      MakeSingle("fully_connected" + suffix, OperatorCode::kFullyConnected,
                 {Activation(type, {2, 37}), Weights(type, {19, 37}, 1, 0, 14), Bias(type, 19, 15)},
                 {Activation(type, {2, 19}, 0.2f)}));
  models.push_back(
      MakeSingle("fully_connected_deep" + suffix, OperatorCode::kFullyConnected,
                 {Activation(type, {1, 600}), Weights(type, {3, 600}, 3, 0, 16), Bias(type, 3, 17)},
                 {Activation(type, {1, 3}, 0.4f)}));
  models.push_back(MakeSingle("transpose_conv" + suffix, OperatorCode::kTransposeConv,
                              {Int32s({1, 6, 6, 3}, {4}), Weights(type, {3, 3, 3, 5}, 3, 0, 18),
                               Activation(type, {1, 3, 3, 5}), Bias(type, 3, 19)},
                              {Activation(type, {1, 6, 6, 3}, 0.1f)},
                              {OptionI32(1, 2), OptionI32(2, 2)}));
  const std::vector<OptionField> pool = {OptionU8(0, 0), OptionI32(1, 2), OptionI32(2, 2),
                                         OptionI32(3, 3), OptionI32(4, 3)};
  models.push_back(MakeSingle("average_pool_2d" + suffix, OperatorCode::kAveragePool2d,
                              {Activation(type, {1, 5, 6, 3})}, {Activation(type, {1, 3, 3, 3})},
                              pool));
  models.push_back(MakeSingle("max_pool_2d" + suffix, OperatorCode::kMaxPool2d,
                              {Activation(type, {1, 5, 6, 3})}, {Activation(type, {1, 3, 3, 3})},
                              pool));
}

void AddElementwise(TensorType type, const std::string& suffix, std::vector<TestModel>& models) {
  const struct {
    const char* name;
    OperatorCode code;
  } kBinary[] = {{"add", OperatorCode::kAdd},
                 {"sub", OperatorCode::kSub},
                 {"mul", OperatorCode::kMul},
                 {"maximum", OperatorCode::kMaximum},
                 {"minimum", OperatorCode::kMinimum}};
  for (const auto& entry : kBinary) {
    models.push_back(MakeSingle(entry.name + suffix, entry.code,
                                {Activation(type, {2, 3, 4}), Activation(type, {2, 3, 4}, 0.07f)},
                                {Activation(type, {2, 3, 4}, 0.09f)}));
    models.push_back(MakeSingle(entry.name + ("_broadcast" + suffix), entry.code,
                                {Activation(type, {2, 3, 4}), Activation(type, {2, 1, 4}, 0.07f)},
                                {Activation(type, {2, 3, 4}, 0.09f)}));
  }
  models.push_back(MakeSingle("leaky_relu" + suffix, OperatorCode::kLeakyRelu,
                              {Activation(type, {1, 300})}, {Activation(type, {1, 300}, 0.03f)},
                              {OptionF32(0, 0.3f)}));
  models.push_back(MakeSingle("mean" + suffix, OperatorCode::kMean,
                              {Activation(type, {2, 3, 4, 5}), Int32s({1, 2}, {2})},
                              {Activation(type, {2, 5}, 0.04f)}));
  models.push_back(
      MakeSingle("pad" + suffix, OperatorCode::kPad,
                 {Activation(type, {1, 3, 4, 2}), Int32s({0, 0, 1, 2, 2, 1, 0, 1}, {4, 2})},
                 {Activation(type, {1, 6, 7, 3})}));
}

void AddMoves(TensorType type, const std::string& suffix, std::vector<TestModel>& models) {
  models.push_back(MakeSingle("concatenation" + suffix, OperatorCode::kConcatenation,
                              {Activation(type, {2, 3, 2}), Activation(type, {2, 1, 2})},
                              {Activation(type, {2, 4, 2})}, {OptionI32(0, 1)}));
  models.push_back(MakeSingle("split" + suffix, OperatorCode::kSplit,
                              {Int32s({-1}, {1}), Activation(type, {3, 6})},
                              {Activation(type, {3, 3}), Activation(type, {3, 3})}));
  models.push_back(MakeSingle("split_v" + suffix, OperatorCode::kSplitV,
                              {Activation(type, {3, 6}), Int32s({2, 4}, {2}), Int32s({1}, {1})},
                              {Activation(type, {3, 2}), Activation(type, {3, 4})}));
  models.push_back(MakeSingle("pack" + suffix, OperatorCode::kPack,
                              {Activation(type, {2, 3}), Activation(type, {2, 3})},
                              {Activation(type, {2, 2, 3})}, {OptionI32(0, 2), OptionI32(1, 1)}));
  models.push_back(MakeSingle(
      "unpack" + suffix, OperatorCode::kUnpack, {Activation(type, {2, 2, 3})},
      {Activation(type, {2, 3}), Activation(type, {2, 3})}, {OptionI32(0, 2), OptionI32(1, 1)}));
  models.push_back(MakeSingle("transpose" + suffix, OperatorCode::kTranspose,
                              {Activation(type, {2, 3, 4}), Int32s({2, 0, 1}, {3})},
                              {Activation(type, {4, 2, 3})}));
  models.push_back(MakeSingle(
      "strided_slice" + suffix, OperatorCode::kStridedSlice,
      {Activation(type, {4, 6}), Int32s({1, -1}, {2}), Int32s({4, 0}, {2}), Int32s({2, -2}, {2})},
      {Activation(type, {2, 3})}));
  models.push_back(MakeSingle("gather" + suffix, OperatorCode::kGather,
                              {Activation(type, {2, 4, 3}), Int32s({3, 0, 3, 1, 1, 2}, {2, 3})},
                              {Activation(type, {2, 3, 3})}, {OptionI32(0, 1), OptionI32(1, 1)}));
  models.push_back(MakeSingle("resize_nearest_neighbor" + suffix,
                              OperatorCode::kResizeNearestNeighbor,
                              {Activation(type, {2, 3, 2, 3}), Int32s({5, 7}, {2})},
                              {Activation(type, {2, 5, 7, 3})}, {OptionU8(0, 1), OptionU8(1, 1)}));
  models.push_back(MakeSingle("reshape" + suffix, OperatorCode::kReshape,
                              {Activation(type, {2, 6}), Int32s({3, 4}, {2})},
                              {Activation(type, {3, 4})}));
}

void AddResizes(std::vector<TestModel>& models) {
  for (const TensorType type : {TensorType::kInt8, TensorType::kFloat32}) {
    models.push_back(MakeSingle(std::string("resize_bilinear_") + formats::TensorTypeName(type),
                                OperatorCode::kResizeBilinear,
                                {Activation(type, {2, 3, 2, 3}), Int32s({5, 7}, {2})},
                                {Activation(type, {2, 5, 7, 3})}, {OptionU8(3, 1)}));
  }
}

void AddConversions(std::vector<TestModel>& models) {
  models.push_back(MakeSingle("shape_s8", OperatorCode::kShape,
                              {Activation(TensorType::kInt8, {2, 3, 4})},
                              {Activation(TensorType::kInt32, {3})}));
  models.push_back(MakeSingle("logistic_s16", OperatorCode::kLogistic,
                              {Activation(TensorType::kInt16, {1, 30}, 0.0003f)},
                              {Activation(TensorType::kInt16, {1, 30}, 1.0f / 32768)}));
  models.push_back(MakeSingle("tanh_s16", OperatorCode::kTanh,
                              {Activation(TensorType::kInt16, {1, 30}, 1.0f / 2048)},
                              {Activation(TensorType::kInt16, {1, 30}, 1.0f / 32768)}));
  models.push_back(MakeSingle(
      "softmax_s8", OperatorCode::kSoftmax, {Activation(TensorType::kInt8, {2, 10}, 0.1f)},
      {Activation(TensorType::kInt8, {2, 10}, 1.0f / 256, -128)}, {OptionF32(0, 1.0f)}));
  models.push_back(MakeSingle(
      "softmax_s16", OperatorCode::kSoftmax, {Activation(TensorType::kInt16, {2, 10}, 0.001f)},
      {Activation(TensorType::kInt16, {2, 10}, 1.0f / 32768)}, {OptionF32(0, 1.0f)}));
  models.push_back(MakeSingle("softmax_f32", OperatorCode::kSoftmax,
                              {Activation(TensorType::kFloat32, {2, 10})},
                              {Activation(TensorType::kFloat32, {2, 10})}, {OptionF32(0, 0.5f)}));
  models.push_back(MakeSingle("logistic_s8", OperatorCode::kLogistic,
                              {Activation(TensorType::kInt8, {1, 300})},
                              {Activation(TensorType::kInt8, {1, 300}, 1.0f / 256, -128)}));
  models.push_back(MakeSingle("tanh_s8", OperatorCode::kTanh,
                              {Activation(TensorType::kInt8, {1, 30})},
                              {Activation(TensorType::kInt8, {1, 30}, 1.0f / 128, 0)}));
  models.push_back(MakeSingle("quantize_f32_s8", OperatorCode::kQuantize,
                              {Activation(TensorType::kFloat32, {1, 9})},
                              {Activation(TensorType::kInt8, {1, 9})}));
  models.push_back(MakeSingle("quantize_s16_s8", OperatorCode::kQuantize,
                              {Activation(TensorType::kInt16, {1, 9}, 0.001f)},
                              {Activation(TensorType::kInt8, {1, 9})}));
  models.push_back(MakeSingle("dequantize_s8", OperatorCode::kDequantize,
                              {Activation(TensorType::kInt8, {1, 9})},
                              {Activation(TensorType::kFloat32, {1, 9})}));
  models.push_back(MakeSingle("cast_s8_s32", OperatorCode::kCast,
                              {Activation(TensorType::kInt8, {1, 9})},
                              {Activation(TensorType::kInt32, {1, 9})}));
  models.push_back(MakeSingle("div_s32", OperatorCode::kDiv,
                              {Activation(TensorType::kInt32, {1, 9}), Int32s({7}, {1})},
                              {Activation(TensorType::kInt32, {1, 9})}));
}

// Convolution, residual sum, pool, dense, softmax: lifetimes, overlaps and aliases.
TestModel MakeResidual() {
  TestModel model{"residual_s8", {}};
  const TensorType type = TensorType::kInt8;
  SubgraphSpec& graph = model.graph;
  graph.tensors = {Activation(type, {1, 8, 8, 4}),
                   Weights(type, {8, 3, 3, 4}, 8, 0, 21),
                   Bias(type, 8, 22),
                   Activation(type, {1, 8, 8, 8}, 0.06f),
                   Weights(type, {8, 3, 3, 8}, 8, 0, 23),
                   Bias(type, 8, 24),
                   Activation(type, {1, 8, 8, 8}, 0.07f),
                   Activation(type, {1, 8, 8, 8}, 0.08f),
                   Activation(type, {1, 1, 1, 8}, 0.08f),
                   Int32s({1, 8}, {2}),
                   Activation(type, {1, 8}, 0.08f),
                   Weights(type, {5, 8}, 1, 0, 25),
                   Bias(type, 5, 26),
                   Activation(type, {1, 5}, 0.1f),
                   Activation(type, {1, 5}, 1.0f / 256, -128)};
  const std::vector<OptionField> same = {OptionI32(1, 1), OptionI32(2, 1), OptionU8(3, 1)};
  graph.operators = {
      {OperatorCode::kConv2d, {0, 1, 2}, {3}, same},
      {OperatorCode::kConv2d, {3, 4, 5}, {6}, same},
      {OperatorCode::kAdd, {3, 6}, {7}},
      {OperatorCode::kAveragePool2d,
       {7},
       {8},
       {OptionU8(0, 1), OptionI32(1, 8), OptionI32(2, 8), OptionI32(3, 8), OptionI32(4, 8)}},
      {OperatorCode::kReshape, {8, 9}, {10}},
      {OperatorCode::kFullyConnected, {10, 11, 12}, {13}},
      {OperatorCode::kSoftmax, {13}, {14}, {OptionF32(0, 1.0f)}}};
  graph.inputs = {0};
  graph.outputs = {14};
  return model;
}

OperatorSpec MakeHandle(int32_t tensor, const std::string& name) {
  return {OperatorCode::kVarHandle, {}, {tensor}, {OptionText(0, "box"), OptionText(1, name)}};
}

}  // namespace

TestModel MakeRunningMaximum() {
  const TensorSpec value = Activation(TensorType::kInt8, {1, 4});
  TensorSpec handle;
  handle.type = TensorType::kResource;
  TensorSpec start = value;
  start.data = ToBytes<int8_t>({-20, -10, 0, 10});
  TestModel model{"running_maximum_s8", {}};
  model.graph.tensors = {value, handle, value, value, handle};
  model.graph.operators = {{OperatorCode::kCallOnce, {}, {}, {OptionI32(0, 1)}},
                           MakeHandle(1, "largest"),
                           {OperatorCode::kReadVariable, {1}, {2}},
                           {OperatorCode::kMaximum, {0, 2}, {3}},
                           MakeHandle(4, "largest"),
                           {OperatorCode::kAssignVariable, {4, 3}, {}}};
  model.graph.inputs = {0};
  model.graph.outputs = {3};
  SubgraphSpec& once = model.called.emplace_back();
  once.tensors = {handle, start, handle, start};
  once.operators = {MakeHandle(0, "largest"),
                    {OperatorCode::kAssignVariable, {0, 1}, {}},
                    MakeHandle(2, "other"),
                    {OperatorCode::kAssignVariable, {2, 3}, {}}};
  return model;
}

std::vector<TestModel> MakeTestModels() {
  std::vector<TestModel> models;
  models.push_back(MakeRunningMaximum());
  for (const TensorType type : kActivationTypes) {
    const std::string suffix = std::string("_") + formats::TensorTypeName(type);
    AddWindows(type, suffix, models);
    AddElementwise(type, suffix, models);
    AddMoves(type, suffix, models);
  }
  AddResizes(models);
  AddConversions(models);
  models.push_back(MakeResidual());
  return models;
}

}  // namespace ota::engine
