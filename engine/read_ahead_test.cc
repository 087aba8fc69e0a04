// SPDX-License-Identifier: Apache-2.0
// A source that reads ahead: tiles are requested while those before are computed, and the results
// do not depend on when they arrive.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "engine/interpreter.h"
#include "engine/test_arena.h"
#include "engine/test_models.h"

namespace ota::engine {
namespace {

using Bytes = std::vector<uint8_t>;

/// Reads that are started are done after some calls of FinishRead, never before the second Step.
class SlowSource final : public ByteSource {
 public:
  SlowSource(ByteSpan bytes, uint32_t busy_count) : memory_(bytes), busy_count_(busy_count) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }
  bool can_read_ahead() const override { return true; }

  Status StartRead(uint32_t offset, MutableByteSpan target) override {
    if (is_started_) return Status::kWrongState;
    if (!IsInBounds(offset, target.size(), size_bytes())) return Status::kOutOfRange;
    std::fill(target.begin(), target.end(), uint8_t{0xEE});
    is_started_ = true;
    offset_ = offset;
    target_ = target;
    busy_left_ = busy_count_;
    started_at_ = now_;
    return Status::kOk;
  }

  Status FinishRead() override {
    if (!is_started_) return Status::kWrongState;
    if (busy_left_ == busy_count_ && now_ > started_at_) ++overlap_count_;
    if (busy_left_ > 0) {
      --busy_left_;
      return Status::kBusy;
    }
    is_started_ = false;
    if (reads_before_failure_ == 0) return Status::kMediumFailed;
    if (reads_before_failure_ > 0) --reads_before_failure_;
    return memory_.Read(offset_, target_);
  }

  void AbandonRead() override { is_started_ = false; }

  void FailAfter(int32_t reads) { reads_before_failure_ = reads; }
  void CountStep() { ++now_; }
  bool is_started() const { return is_started_; }
  /// Reads that were under way while something was computed.
  uint32_t overlap_count() const { return overlap_count_; }

 private:
  MemoryByteSource memory_;
  uint32_t busy_count_;
  bool is_started_ = false;
  uint32_t offset_ = 0;
  MutableByteSpan target_;
  uint32_t busy_left_ = 0;
  uint32_t now_ = 0;
  uint32_t started_at_ = 0;
  uint32_t overlap_count_ = 0;
  int32_t reads_before_failure_ = -1;
};

// Small bytes, so that floats are numbers.
void Fill(Interpreter& interpreter) {
  Prng prng(5);
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    for (uint8_t& byte : interpreter.input(i)) byte = static_cast<uint8_t>(prng.Next() >> 8 & 0x3F);
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

Bytes WriteModel(const std::string& name) {
  const std::vector<TestModel> models = MakeTestModels();
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const TestModel& model) { return model.name == name; });
  return found->Write();
}

// Convolutions whose weights take several pages.
Bytes WriteResidual() { return WriteModel("residual_s8"); }

Bytes RunMapped(const Bytes& model) {
  MemoryByteSource source(model);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators());
  EXPECT_EQ(interpreter.Prepare(source, arena.span()), Status::kOk);
  Fill(interpreter);
  EXPECT_EQ(interpreter.Invoke(), Status::kOk);
  return TakeOutputs(interpreter);
}

Status RunSteps(Interpreter& interpreter, SlowSource& source, uint32_t mac_budget) {
  Status status = Status::kBusy;
  while (status == Status::kBusy) {
    source.CountStep();
    status = interpreter.Step(mac_budget);
  }
  return status;
}

TEST(ReadAhead, GivesTheSameBytesHoweverLateTheyArrive) {
  uint32_t overlaps = 0;
  for (const TestModel& model : MakeTestModels()) {
    SCOPED_TRACE(model.name);
    const Bytes bytes = model.Write();
    const Bytes expected = RunMapped(bytes);
    for (const uint32_t busy_count : {0u, 1u, 7u}) {
      SlowSource source(bytes, busy_count);
      TestArena arena(1 << 16);
      Interpreter interpreter(AllOperators());
      ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 256}), Status::kOk);
      for (const uint32_t mac_budget : {1u, 300u, UINT32_MAX}) {
        Fill(interpreter);
        ASSERT_EQ(RunSteps(interpreter, source, mac_budget), Status::kOk);
        EXPECT_EQ(TakeOutputs(interpreter), expected);
        EXPECT_EQ(interpreter.read_bytes(),
                  interpreter.summary().read_bytes + interpreter.summary().once_read_bytes)
            << "every byte once";
        EXPECT_FALSE(source.is_started());
        interpreter.ResetState();
      }
      overlaps += source.overlap_count();
    }
  }
  EXPECT_GT(overlaps, 20u);
}

TEST(ReadAhead, OverlapsWithOperatorsWhoseWeightsTakeSeveralPages) {
  for (const char* name : {"conv_2d_wide_int8", "conv_2d_float32", "fully_connected_int8",
                           "fully_connected_float32"}) {
    SCOPED_TRACE(name);
    const Bytes bytes = WriteModel(name);
    SlowSource source(bytes, 1);
    TestArena arena(1 << 16);
    Interpreter interpreter(AllOperators());
    ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 512}), Status::kOk);
    Fill(interpreter);
    ASSERT_EQ(RunSteps(interpreter, source, 1), Status::kOk);
    EXPECT_GT(source.overlap_count(), 0u);
  }
}

TEST(ReadAhead, LeavesTheInterpreterUsableAfterAFailure) {
  const Bytes bytes = WriteResidual();
  const Bytes expected = RunMapped(bytes);
  SlowSource source(bytes, 2);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators());
  ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 256}), Status::kOk);
  for (int32_t reads = 0; reads < 5; ++reads) {
    Fill(interpreter);
    source.FailAfter(reads);
    EXPECT_EQ(RunSteps(interpreter, source, 50), Status::kMediumFailed);
    EXPECT_FALSE(source.is_started());
  }
  source.FailAfter(-1);
  Fill(interpreter);
  ASSERT_EQ(RunSteps(interpreter, source, 50), Status::kOk);
  EXPECT_EQ(TakeOutputs(interpreter), expected);
}

TEST(ReadAhead, IsGivenUpWhenTheInferenceIsAbandoned) {
  const Bytes bytes = WriteResidual();
  SlowSource source(bytes, 3);
  TestArena arena(1 << 16);
  Interpreter interpreter(AllOperators());
  ASSERT_EQ(interpreter.Prepare(source, arena.span(), {.page_bytes = 256}), Status::kOk);
  Fill(interpreter);
  for (uint32_t step = 0; step < 100 && !source.is_started(); ++step) {
    ASSERT_EQ(interpreter.Step(1), Status::kBusy);
  }
  ASSERT_TRUE(source.is_started());
  interpreter.ResetState();
  EXPECT_FALSE(source.is_started());
  Fill(interpreter);
  EXPECT_EQ(RunSteps(interpreter, source, 1), Status::kOk);
  EXPECT_EQ(TakeOutputs(interpreter), RunMapped(bytes));
}

}  // namespace
}  // namespace ota::engine
