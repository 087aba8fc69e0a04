// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.h"

namespace ota::engine {
namespace {

/// Room for a table of buffers.
class Buffers {
 public:
  explicit Buffers(uint32_t count) : memory_(count), table_(End()) {}
  BufferTable& table() { return table_; }

  void Add(uint32_t size_bytes, uint32_t first, uint32_t last) {
    PlannedBuffer& buffer = table_.Add();
    buffer.size_bytes = size_bytes;
    buffer.first = static_cast<uint16_t>(first);
    buffer.last = static_cast<uint16_t>(last);
  }

  bool AreApart() const {
    for (uint32_t i = 0; i < table_.count(); ++i) {
      for (uint32_t j = 0; j < i; ++j) {
        const PlannedBuffer& a = table_[i];
        const PlannedBuffer& b = table_[j];
        const bool are_alive = a.first <= b.last && b.first <= a.last;
        const bool is_apart =
            a.offset + a.size_bytes <= b.offset || b.offset + b.size_bytes <= a.offset;
        if (are_alive && !is_apart) return false;
      }
    }
    return true;
  }

 private:
  uint8_t* End() { return reinterpret_cast<uint8_t*>(memory_.data() + memory_.size()); }

  std::vector<PlannedBuffer> memory_;
  BufferTable table_;
};

constexpr uint32_t kMany = 1500;
/// Three searches of four millions at most, and begun and ended with some times the square.
constexpr uint32_t kStepsMax = 3 * (4'000'000 + 4 * kMany * kMany);

TEST(MemoryPlanner, TakesAboutTheSquareOfManyBuffersThatComeAndGo) {
  Prng prng(1);
  Buffers buffers(kMany);
  for (uint32_t i = 0; i < kMany; ++i) {
    buffers.Add(8 + prng.NextBelow(4000), i, i + prng.NextBelow(20));
  }
  uint32_t steps = 0;
  const uint32_t needed = PlanMemory(buffers.table(), &steps);
  EXPECT_TRUE(buffers.AreApart());
  uint32_t floor = 0;
  for (uint32_t time = 0; time < kMany; ++time) {
    floor = std::max(floor, ComputeAliveBytes(buffers.table(), time));
  }
  EXPECT_GE(needed, floor);
  EXPECT_LE(needed, floor * 5 / 4);
  EXPECT_LT(steps, kStepsMax);
}

TEST(MemoryPlanner, TakesAboutTheSquareOfManyBuffersThatLiveTogether) {
  Buffers buffers(kMany);
  for (uint32_t i = 0; i < kMany; ++i) buffers.Add(8 * (i % 7 + 1), i % 3, kMany);
  uint32_t steps = 0;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < kMany; ++i) sum += buffers.table()[i].size_bytes;
  EXPECT_EQ(PlanMemory(buffers.table(), &steps), sum);
  EXPECT_TRUE(buffers.AreApart());
  EXPECT_LT(steps, kStepsMax);
}

}  // namespace
}  // namespace ota::engine
