// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/model_validator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/prng.h"
#include "formats/tflite/model_reader.h"
#include "formats/tflite/test_model_writer.h"

namespace ota::formats {
namespace {

SubgraphSpec MakeDense() {
  SubgraphSpec graph;
  graph.tensors = {
      {TensorType::kInt8, {1, 4}, {0.5f}, 3},
      {TensorType::kInt8, {2, 4}, {0.25f}, 0, ToBytes<int8_t>({1, 2, 3, 4, 5, 6, 7, 8})},
      {TensorType::kInt32, {2}, {0.125f}, 0, ToBytes<int32_t>({100, -100})},
      {TensorType::kInt8, {1, 2}, {1.0f}, -1},
  };
  graph.operators = {{OperatorCode::kFullyConnected, {0, 1, 2}, {3}, {OptionU8(0, 1)}}};
  graph.inputs = {0};
  graph.outputs = {3};
  return graph;
}

Status Verify(const std::vector<uint8_t>& bytes) {
  MemoryByteSource source(bytes);
  return VerifyModel(source);
}

TEST(ModelValidator, AcceptsAWellFormedModel) {
  EXPECT_EQ(Verify(WriteModel(MakeDense())), Status::kOk);
}

TEST(ModelValidator, ReaderGivesBackWhatWasWritten) {
  const std::vector<uint8_t> bytes = WriteModel(MakeDense());
  MemoryByteSource source(bytes);
  ModelReader model(source);
  ASSERT_EQ(model.Open(), Status::kOk);
  EXPECT_EQ(model.tensor_count(), 4u);
  const auto info = model.ReadOperator(0);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->code, static_cast<int32_t>(OperatorCode::kFullyConnected));
  const auto weights = model.ReadTensor(1);
  ASSERT_TRUE(weights.ok());
  EXPECT_TRUE(weights->is_constant);
  EXPECT_EQ(weights->size_bytes, 8u);
  EXPECT_EQ(weights->scale, 0.25f);
  EXPECT_EQ(bytes[weights->constant_offset], 1);
  EXPECT_EQ(model.ReadTensor(4).status(), Status::kOutOfRange);
}

TEST(ModelValidator, RefusesWhatIsNoModel) {
  EXPECT_EQ(Verify({}), Status::kNotAModel);
  EXPECT_EQ(Verify(std::vector<uint8_t>(100, 0)), Status::kNotAModel);
  std::vector<uint8_t> bytes = WriteModel(MakeDense());
  bytes[4] = 'X';
  EXPECT_EQ(Verify(bytes), Status::kNotAModel);
}

TEST(ModelValidator, RefusesEveryTruncation) {
  const std::vector<uint8_t> bytes = WriteModel(MakeDense());
  for (size_t length = 0; length + 8 < bytes.size(); ++length) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_NE(Verify(cut), Status::kOk) << length << " bytes";
  }
}

TEST(ModelValidator, RefusesBrokenTensors) {
  SubgraphSpec graph = MakeDense();
  graph.tensors[1].data.pop_back();
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed);
  graph = MakeDense();
  graph.tensors[0].shape = {1, -4};
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed);
  graph.tensors[0].shape = {65536, 65536};
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelTooLarge);
  graph.tensors[0].shape = {1, 1, 1, 1, 1, 1, 4};
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelTooLarge);
  for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    graph = MakeDense();
    graph.tensors[3].scales = {scale};
    EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed) << scale;
  }
}

TEST(ModelValidator, RefusesIndicesThatNameNothing) {
  SubgraphSpec graph = MakeDense();
  graph.operators[0].inputs[1] = 4;
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed);
  graph = MakeDense();
  graph.inputs = {-1};
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed);
  graph = MakeDense();
  graph.outputs = {99};
  EXPECT_EQ(Verify(WriteModel(graph)), Status::kModelMalformed);
}

TEST(ModelValidator, SurvivesEverySingleByteChange) {
  const std::vector<uint8_t> bytes = WriteModel(MakeDense());
  Prng prng(5);
  uint32_t refused = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::vector<uint8_t> changed = bytes;
    changed[at] = static_cast<uint8_t>(prng.Next());
    if (Verify(changed) != Status::kOk) ++refused;
  }
  EXPECT_GT(refused, 20u);
}

TEST(ModelValidator, RefusesConstantsThatOverlap) {
  const std::vector<uint8_t> bytes = WriteModel(MakeDense());
  MemoryByteSource source(bytes);
  ModelReader model(source);
  ASSERT_EQ(model.Open(), Status::kOk);
  const FlatTable weights = model.reader().ReadElementTable(model.buffers(), 1);
  const FlatTable bias = model.reader().ReadElementTable(model.buffers(), 2);
  const uint32_t weights_at = model.reader().FindTarget(weights, buffer_slot::kData);
  const uint32_t field = model.reader().FindField(bias, buffer_slot::kData, 4);
  std::vector<uint8_t> changed = bytes;
  StoreLe32(&changed[field], weights_at - field);
  EXPECT_NE(Verify(changed), Status::kOk);
}

// What subgraphs 0, 1 and 2 call; -1: nothing.
Status VerifyCalls(const std::vector<int32_t>& called) {
  std::vector<SubgraphSpec> graphs;
  for (const int32_t subgraph : called) {
    SubgraphSpec& graph = graphs.emplace_back();
    if (subgraph < 0) continue;
    graph.operators = {{OperatorCode::kCallOnce, {}, {}, {OptionI32(0, subgraph)}}};
  }
  return Verify(WriteModel(graphs));
}

TEST(ModelValidator, RefusesCallsThatCouldRecurse) {
  EXPECT_EQ(VerifyCalls({2, -1, -1}), Status::kOk);
  EXPECT_EQ(VerifyCalls({0, -1, -1}), Status::kModelMalformed);
  EXPECT_EQ(VerifyCalls({3, -1, -1}), Status::kModelMalformed);
  EXPECT_EQ(VerifyCalls({1, 2, -1}), Status::kModelMalformed);
  EXPECT_EQ(VerifyCalls({1, 0, -1}), Status::kModelMalformed);
  EXPECT_EQ(VerifyCalls({-1, 1, -1}), Status::kModelMalformed);
}

}  // namespace
}  // namespace ota::formats
