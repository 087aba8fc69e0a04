// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/timed_interpreter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/test_arena.h"
#include "engine/test_models.h"
#include "storage/model_store/test_ahead_unit.h"

namespace ota::simulator {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kSlowPs = 200'000;  ///< so that computing takes longer than transferring

/// A convolution, or a fully connected layer, whose weights take several pages.
Bytes WriteModel(const std::string& name) {
  const std::vector<engine::TestModel> models = engine::MakeTestModels();
  return std::find_if(models.begin(), models.end(),
                      [&](const auto& model) { return model.name == name; })
      ->Write();
}

struct Inference {
  Bytes output;
  uint64_t all_ns = 0;
  uint64_t computed_ns = 0;
};

Inference RunModel(
    SimulatedClock& clock, const Bytes& model, ByteSource& source, uint32_t ps_per_mac,
    const std::function<void()>& drive = [] {}) {
  engine::TestArena arena(1 << 16);
  TimedInterpreter timed(clock, ps_per_mac);
  EXPECT_EQ(timed.Prepare(model, source, arena.span(), {.page_bytes = 512}), Status::kOk);
  for (uint32_t i = 0; i < timed.interpreter().input_count(); ++i) {
    uint8_t value = 0;
    for (uint8_t& byte : timed.interpreter().input(i)) byte = value++ & 0x3F;
  }
  const uint64_t start_ns = clock.now_ns();
  EXPECT_EQ(timed.Invoke(drive), Status::kOk);
  const ByteSpan output = timed.interpreter().output(0);
  return {Bytes(output.begin(), output.end()), clock.now_ns() - start_ns, timed.computed_ns()};
}

TEST(TimedInterpreter, TakesTimeForItsMacsAndForNothingElse) {
  const Bytes model = WriteModel("conv_2d_wide_int8");
  MemoryByteSource source(model);
  SimulatedClock clock;
  clock.set_skips_waits(false);
  const Inference slow = RunModel(clock, model, source, 20000);
  const Inference fast = RunModel(clock, model, source, 10000);
  EXPECT_GT(fast.computed_ns, 0u);
  EXPECT_NEAR(static_cast<double>(slow.computed_ns), 2.0 * static_cast<double>(fast.computed_ns),
              static_cast<double>(fast.computed_ns) / 100);
  EXPECT_EQ(slow.all_ns, slow.computed_ns);
  EXPECT_EQ(slow.output, fast.output);
}

TEST(TimedInterpreter, TransfersFromSerialNorWhileItComputes) {
  struct Case {
    const char* name;
    uint64_t hidden_share;  ///< of the transfers, as a divisor
  };
  for (const auto& [name, hidden_share] :
       {Case{"conv_2d_wide_int8", 10}, Case{"fully_connected_int8", 2}}) {
    SCOPED_TRACE(name);
    const Bytes model = WriteModel(name);
    storage::AheadUnit<storage::NorHardware> unit(model);
    ASSERT_EQ(unit.status(), Status::kOk);
    const Inference waiting = RunModel(unit.clock(), model, unit.source(), kSlowPs);
    const uint64_t transfer_ns = waiting.all_ns - waiting.computed_ns;
    storage::ReadAheadSource ahead(unit.source(), unit.device());
    const Inference overlapped =
        RunModel(unit.clock(), model, ahead, kSlowPs, [&] { ahead.Drive(); });
    EXPECT_EQ(overlapped.output, waiting.output);
    EXPECT_LT(overlapped.all_ns, waiting.all_ns - transfer_ns / hidden_share);
    EXPECT_EQ(unit.hardware().collision_count(), 0u);
  }
}

}  // namespace
}  // namespace ota::simulator
