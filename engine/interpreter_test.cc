// SPDX-License-Identifier: Apache-2.0
#include "engine/interpreter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/prng.h"
#include "engine/operators/operators.h"
#include "engine/test_arena.h"
#include "engine/test_models.h"

namespace ota::engine {
namespace {

using Bytes = std::vector<uint8_t>;

class UnmappedSource final : public ByteSource {
 public:
  explicit UnmappedSource(ByteSpan bytes) : memory_(bytes) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    if (reads_before_failure_ == 0) return Status::kMediumFailed;
    if (reads_before_failure_ > 0) --reads_before_failure_;
    return memory_.Read(offset, target);
  }
  void FailAfter(int32_t reads) { reads_before_failure_ = reads; }

 private:
  MemoryByteSource memory_;
  int32_t reads_before_failure_ = -1;
};

// Small values, so that float tensors hold numbers.
void Fill(Interpreter& interpreter, uint32_t seed) {
  Prng prng(seed);
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    const auto input = interpreter.input(i);
    const auto info = interpreter.ReadInputInfo(i);
    ASSERT_TRUE(info.ok());
    if (info->type == formats::TensorType::kFloat32) {
      for (size_t at = 0; at < input.size(); at += 4) {
        const float value = static_cast<float>(prng.NextBelow(2001)) * 0.001f - 1.0f;
        std::memcpy(input.data() + at, &value, 4);
      }
      continue;
    }
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(prng.Next() >> 8);
  }
}

Bytes TakeOutputs(const Interpreter& interpreter) {
  Bytes outputs;
  for (uint32_t i = 0; i < interpreter.output_count(); ++i) {
    const ByteSpan output = interpreter.output(i);
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  return outputs;
}

ModelSummary Needs(ByteSource& source, uint32_t page_bytes = 0) {
  TestArena workspace(1 << 16);
  PrepareOptions options;
  options.page_bytes = page_bytes;
  const auto needs = ComputeMemoryNeeds(source, AllOperators(), workspace.span(), options);
  EXPECT_TRUE(needs.ok()) << StatusName(needs.status());
  return needs.ok() ? *needs : ModelSummary();
}

// Outputs of one inference in an arena of exactly the bytes needed.
Bytes RunOnce(ByteSource& source, uint32_t page_bytes, uint32_t mac_budget) {
  TestArena arena(Needs(source, page_bytes).arena_bytes);
  std::fill(arena.bytes.begin(), arena.bytes.end(), 0xA5);
  Interpreter interpreter(AllOperators());
  PrepareOptions options;
  options.page_bytes = page_bytes;
  const Status prepared = interpreter.Prepare(source, arena.span(), options);
  EXPECT_EQ(prepared, Status::kOk) << StatusName(prepared);
  if (prepared != Status::kOk) return {};
  Fill(interpreter, 1);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = interpreter.Step(mac_budget);
  EXPECT_EQ(status, Status::kOk);
  EXPECT_EQ(interpreter.read_bytes(),
            interpreter.summary().read_bytes + interpreter.summary().once_read_bytes);
  return TakeOutputs(interpreter);
}

TEST(Interpreter, GivesTheSameBytesFromAnySourceAndInSteps) {
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    MemoryByteSource mapped(bytes);
    UnmappedSource unmapped(bytes);
    const Bytes expected = RunOnce(mapped, 0, UINT32_MAX);
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(RunOnce(mapped, 0, 1), expected);
    for (const uint32_t page : {256u, 300u, 512u, 4096u, 1u << 20}) {
      EXPECT_EQ(RunOnce(unmapped, page, UINT32_MAX), expected) << "page " << page;
    }
    EXPECT_EQ(RunOnce(unmapped, 256, 1), expected);
  }
}

TEST(Interpreter, EndsAStepWithinItsBudgetThoughTensorsAreEmpty) {
  using formats::OperatorCode;
  using formats::TensorType;
  formats::SubgraphSpec graph;
  graph.tensors = {{.type = TensorType::kInt8, .shape = {1000, 0}, .scales = {0.5f}},
                   {.type = TensorType::kInt8, .shape = {1000, 1, 0}, .scales = {0.5f}}};
  graph.operators = {{.code = OperatorCode::kPack,
                      .inputs = {0},
                      .outputs = {1},
                      .options = {formats::OptionI32(0, 1), formats::OptionI32(1, 1)}}};
  graph.inputs = {0};
  graph.outputs = {1};
  const Bytes bytes = formats::WriteModel(graph);
  MemoryByteSource source(bytes);
  TestArena arena(4096);
  Interpreter interpreter(AllOperators());
  ASSERT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
  EXPECT_EQ(interpreter.Step(100), Status::kBusy);
  EXPECT_EQ(interpreter.Step(2000), Status::kOk);
}

TEST(Interpreter, NeedsNotOneByteLessThanItSays) {
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    MemoryByteSource source(bytes);
    const ModelSummary needs = Needs(source);
    TestArena arena(needs.arena_bytes);
    Interpreter interpreter(AllOperators());
    EXPECT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
    EXPECT_EQ(interpreter.summary().arena_bytes, needs.arena_bytes);
    const auto shorter = arena.span().first(needs.arena_bytes - 1);
    EXPECT_EQ(interpreter.Prepare(source, shorter), Status::kArenaTooSmall);
    const uint32_t told = interpreter.arena_bytes_needed();
    EXPECT_TRUE(told == needs.arena_bytes || told == 0) << told;
    EXPECT_FALSE(interpreter.is_prepared());
    EXPECT_EQ(interpreter.Invoke(), Status::kWrongState);
  }
}

TEST(Interpreter, TellsTheSmallestArenaOfAStreamedModelWithAnyPage) {
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    UnmappedSource source(bytes);
    const uint32_t needed = Needs(source).arena_bytes;
    for (const uint32_t page : {256u, 512u, 1024u, 4096u, 65536u}) {
      EXPECT_LE(needed, Needs(source, page).arena_bytes) << "page " << page;
    }
    TestArena arena(needed);
    Interpreter interpreter(AllOperators());
    EXPECT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
    EXPECT_EQ(interpreter.Prepare(source, arena.span().first(needed - 1)), Status::kArenaTooSmall);
    const uint32_t told = interpreter.arena_bytes_needed();
    EXPECT_TRUE(told == needed || told == 0) << told;
  }
}

TEST(Interpreter, GivesTheSameBytesFromTheSameState) {
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    MemoryByteSource source(bytes);
    TestArena arena(Needs(source).arena_bytes);
    Interpreter interpreter(AllOperators());
    ASSERT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
    Fill(interpreter, 3);
    ASSERT_EQ(interpreter.Invoke(), Status::kOk);
    const Bytes first = TakeOutputs(interpreter);
    interpreter.ResetState();
    Fill(interpreter, 3);
    ASSERT_EQ(interpreter.Invoke(), Status::kOk);
    EXPECT_EQ(TakeOutputs(interpreter), first);
  }
}

TEST(Interpreter, IsUsableAgainWhicheverReadFailed) {
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    UnmappedSource source(bytes);
    const Bytes expected = RunOnce(source, 256, UINT32_MAX);
    TestArena arena(Needs(source, 256).arena_bytes);
    Interpreter interpreter(AllOperators());
    ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 256}), Status::kOk);
    Status status = Status::kMediumFailed;
    for (int32_t reads = 0; status == Status::kMediumFailed; ++reads) {
      Fill(interpreter, 1);
      source.FailAfter(reads);
      status = interpreter.Invoke();
      source.FailAfter(-1);
      if (interpreter.summary().state_bytes != 0) interpreter.ResetState();
      Fill(interpreter, 1);
      ASSERT_EQ(interpreter.Invoke(), Status::kOk);
      EXPECT_EQ(TakeOutputs(interpreter), expected) << "after a failure of read " << reads;
      if (interpreter.summary().state_bytes != 0) interpreter.ResetState();
    }
    EXPECT_EQ(status, Status::kOk);
  }
}

TEST(Interpreter, ModelsTakeTurnsInOneSharedMemory) {
  const std::vector<TestModel> models = MakeTestModels();
  const Bytes first_bytes = models.front().Write();
  const Bytes last_bytes = models.back().Write();
  MemoryByteSource first_source(first_bytes);
  MemoryByteSource last_source(last_bytes);
  const ModelSummary first_needs = Needs(first_source);
  const ModelSummary last_needs = Needs(last_source);
  TestArena shared(std::max(first_needs.shared_bytes, last_needs.shared_bytes));
  TestArena first_memory(first_needs.persistent_bytes);
  TestArena last_memory(last_needs.persistent_bytes);
  Interpreter first(AllOperators());
  Interpreter last(AllOperators());
  ASSERT_EQ(first.Prepare(first_source, first_memory.span(), shared.span()), Status::kOk);
  ASSERT_EQ(last.Prepare(last_source, last_memory.span(), shared.span()), Status::kOk);
  const Bytes first_expected = RunOnce(first_source, 0, UINT32_MAX);
  const Bytes last_expected = RunOnce(last_source, 0, UINT32_MAX);
  for (uint32_t round = 0; round < 3; ++round) {
    Fill(first, 1);
    ASSERT_EQ(first.Invoke(), Status::kOk);
    EXPECT_EQ(TakeOutputs(first), first_expected);
    Fill(last, 1);
    ASSERT_EQ(last.Invoke(), Status::kOk);
    EXPECT_EQ(TakeOutputs(last), last_expected);
  }
}

TEST(Interpreter, RefusesUnknownOperatorsAndSaysWhich) {
  const Bytes bytes = MakeTestModels().back().Write();
  MemoryByteSource source(bytes);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators().first(1));
  EXPECT_EQ(interpreter.Prepare(source, arena.span()), Status::kUnknownOperator);
  EXPECT_GE(interpreter.failed_operator(), 0);
}

TEST(Interpreter, TakesInt8AloneWithTheVariantsForIt) {
  constexpr const Operator* kInt8Operators[] = {
      &kAddInt8, &kAveragePool2dInt8, &kConv2dInt8, &kDepthwiseConv2dInt8, &kFullyConnectedInt8,
      &kReshape, &kSoftmaxInt8};
  uint32_t same_count = 0, refused_count = 0;
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    MemoryByteSource source(bytes);
    TestArena arena(1 << 16);
    Interpreter interpreter(kInt8Operators);
    const Status status = interpreter.Prepare(source, arena.span());
    if (status == Status::kUnsupportedType) ++refused_count;
    if (status != Status::kOk) continue;
    Fill(interpreter, 1);
    ASSERT_EQ(interpreter.Invoke(), Status::kOk);
    EXPECT_EQ(TakeOutputs(interpreter), RunOnce(source, 0, UINT32_MAX));
    ++same_count;
  }
  EXPECT_GE(same_count, 8u);
  EXPECT_GE(refused_count, 8u);
}

TEST(Interpreter, RefusesMisalignedArenasAndTinyPages) {
  const Bytes bytes = MakeTestModels().front().Write();
  MemoryByteSource source(bytes);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators());
  EXPECT_EQ(interpreter.Prepare(source, arena.span().subspan(4)), Status::kInvalidArgument);
  EXPECT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 16}),
            Status::kInvalidArgument);
}

TEST(Interpreter, RefusesGraphsThatReadWhatNobodyMade) {
  TestModel model = MakeTestModels().back();
  std::swap(model.graph.operators[0], model.graph.operators[1]);
  const Bytes bytes = model.Write();
  MemoryByteSource source(bytes);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators());
  EXPECT_EQ(interpreter.Prepare(source, arena.span()), Status::kModelMalformed);
}

using Words = std::vector<int>;

// Fills the input of MakeRunningMaximum, runs, and returns the output.
Words RunMaximum(Interpreter& interpreter, const Words& input) {
  std::copy(input.begin(), input.end(), interpreter.input(0).begin());
  EXPECT_EQ(interpreter.Invoke(), Status::kOk);
  Words output;
  for (const uint8_t byte : interpreter.output(0)) output.push_back(static_cast<int8_t>(byte));
  return output;
}

TEST(Interpreter, KeepsVariablesUntilTheyAreReset) {
  const Bytes bytes = MakeRunningMaximum().Write();
  MemoryByteSource source(bytes);
  TestArena arena(Needs(source).arena_bytes);
  Interpreter interpreter(AllOperators());
  ASSERT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
  EXPECT_EQ(RunMaximum(interpreter, {0, 0, 0, 0}), (Words{0, 0, 0, 10}));
  EXPECT_EQ(RunMaximum(interpreter, {-50, 5, -50, 50}), (Words{0, 5, 0, 50}));
  interpreter.ResetState();
  EXPECT_EQ(RunMaximum(interpreter, {-50, -50, 1, 2}), (Words{-20, -10, 1, 10}));
}

TEST(Interpreter, KeepsVariablesOfModelsThatTakeTurnsApart) {
  const Bytes bytes = MakeRunningMaximum().Write();
  MemoryByteSource source(bytes);
  const ModelSummary needs = Needs(source);
  TestArena shared(needs.shared_bytes);
  TestArena memories[2] = {TestArena(needs.persistent_bytes), TestArena(needs.persistent_bytes)};
  Interpreter first(AllOperators());
  Interpreter second(AllOperators());
  ASSERT_EQ(first.Prepare(source, memories[0].span(), shared.span()), Status::kOk);
  ASSERT_EQ(second.Prepare(source, memories[1].span(), shared.span()), Status::kOk);
  EXPECT_EQ(RunMaximum(first, {1, 1, 1, 1}), (Words{1, 1, 1, 10}));
  EXPECT_EQ(RunMaximum(second, {-1, 2, 2, 2}), (Words{-1, 2, 2, 10}));
  EXPECT_EQ(RunMaximum(first, {0, 0, 9, 0}), (Words{1, 1, 9, 10}));
  EXPECT_EQ(RunMaximum(second, {-5, 0, 0, 0}), (Words{-1, 2, 2, 10}));
}

TEST(Interpreter, SetsVariablesUpAgainIfTheSourceFailedMeanwhile) {
  const Bytes bytes = MakeRunningMaximum().Write();
  UnmappedSource source(bytes);
  TestArena arena(Needs(source).arena_bytes);
  Interpreter interpreter(AllOperators());
  ASSERT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
  for (int32_t reads = 0; reads < 2; ++reads) {
    source.FailAfter(reads);
    EXPECT_EQ(interpreter.Invoke(), Status::kMediumFailed);
  }
  source.FailAfter(2);
  EXPECT_EQ(RunMaximum(interpreter, {-50, -50, 1, 2}), (Words{-20, -10, 1, 10}));
  EXPECT_EQ(interpreter.read_bytes(), 8u);
  EXPECT_EQ(RunMaximum(interpreter, {-50, -50, 3, 2}), (Words{-20, -10, 3, 10}));
  EXPECT_EQ(interpreter.read_bytes(), 0u);
}

Status PrepareModel(const TestModel& model) {
  const Bytes bytes = model.Write();
  MemoryByteSource source(bytes);
  TestArena arena(1 << 16);
  return Interpreter(AllOperators()).Prepare(source, arena.span());
}

TEST(Interpreter, RefusesMisusedHandles) {
  TestModel model = MakeRunningMaximum();
  model.graph.operators.erase(model.graph.operators.begin() + 1);  // the handle that is read
  EXPECT_EQ(PrepareModel(model), Status::kModelMalformed);
  model = MakeRunningMaximum();
  model.graph.operators[3].inputs = {0, 1};  // a handle among the numbers
  EXPECT_NE(PrepareModel(model), Status::kOk);
  model = MakeRunningMaximum();
  model.graph.operators[3] = {formats::OperatorCode::kReshape, {1}, {3}};
  model.graph.tensors[3] = model.graph.tensors[1];
  EXPECT_EQ(PrepareModel(model), Status::kModelMalformed);
  model = MakeRunningMaximum();
  model.graph.outputs = {1};
  EXPECT_EQ(PrepareModel(model), Status::kModelMalformed);
  model = MakeRunningMaximum();
  model.graph.tensors[2].shape = {1, 5};  // another size than was assigned
  EXPECT_EQ(PrepareModel(model), Status::kUnsupportedShape);
  model = MakeRunningMaximum();
  model.graph.operators[1].options[1] = formats::OptionText(1, std::string(65, 'n'));
  EXPECT_EQ(PrepareModel(model), Status::kModelTooLarge);
}

TEST(Interpreter, RefusesPositionsOutsideOfWhatIsGathered) {
  for (const int32_t position : {-1, 4}) {
    TestModel model{"gather", {}};
    formats::TensorSpec positions;
    positions.type = formats::TensorType::kInt32;
    positions.shape = {1};
    positions.data = formats::ToBytes<int32_t>({position});
    formats::TensorSpec rows;
    rows.shape = {4, 2};
    formats::TensorSpec row;
    row.shape = {1, 2};
    model.graph.tensors = {rows, positions, row};
    model.graph.operators = {{formats::OperatorCode::kGather, {0, 1}, {2}}};
    model.graph.inputs = {0};
    model.graph.outputs = {2};
    const Bytes bytes = model.Write();
    MemoryByteSource source(bytes);
    TestArena arena(1 << 12);
    Interpreter interpreter(AllOperators());
    ASSERT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
    EXPECT_EQ(interpreter.Invoke(), Status::kOutOfRange);
  }
}

}  // namespace
}  // namespace ota::engine
