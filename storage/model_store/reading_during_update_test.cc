// SPDX-License-Identifier: Apache-2.0
// A model that is read while another one is staged on the same serial NOR.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/spi_nor.h"
#include "storage/block_device/suspending_device.h"
#include "storage/model_store/raw_model_store.h"
#include "storage/model_store/test_store.h"

namespace ota::storage {
namespace {

constexpr uint32_t kPageBytes = 256;

class ReadingDuringUpdate : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(flash_.Start(), Status::kOk); }
  void TearDown() override { EXPECT_EQ(part_.violation_count(), 0u); }

  template <typename Function>
  Status Wait(Function function) {
    Status status = function();
    while (status == Status::kBusy) {
      clock_.AdvanceNs(1000);
      status = function();
    }
    return status;
  }

  /// Stages a model while another one is read page by page. Returns the longest time for a page.
  uint64_t MeasureLongestRead(BlockDevice& device) {
    RawModelStore store(device, workspace_);
    EXPECT_EQ(RunToEnd([&] { return store.Format(); }), Status::kOk);
    const std::vector<uint8_t>& model = MakeModel(20000, 1);
    const std::vector<uint8_t>& next = MakeModel(30000, 2);
    EXPECT_EQ(InstallModel(store, "kws", model), Status::kOk);
    Result<ByteSource*> source = Status::kBusy;
    while (source.status() == Status::kBusy) source = store.Open("kws", ImageChoice::kInUse);
    EXPECT_TRUE(source.ok());
    clock_.set_skips_waits(false);
    EXPECT_EQ(Wait([&] { return store.Begin(MakeRequest("next", next)); }), Status::kOk);
    uint64_t longest_ns = 0;
    std::vector<uint8_t> page(kPageBytes);
    for (uint32_t at = 0; store.staged_bytes() < next.size(); at = (at + kPageBytes) % 19000) {
      const ByteSpan rest = ByteSpan(next).subspan(store.staged_bytes());
      (void)store.Append(rest.first(std::min<size_t>(512, rest.size())));  // as far as it goes
      const uint64_t start_ns = clock_.now_ns();
      EXPECT_EQ(Wait([&] { return (*source)->Read(at, page); }), Status::kOk);
      EXPECT_TRUE(std::equal(page.begin(), page.end(), model.begin() + at));
      longest_ns = std::max(longest_ns, clock_.now_ns() - start_ns);
    }
    EXPECT_EQ(Wait([&] { return store.Finish(); }), Status::kOk);
    store.Close(*source);
    EXPECT_EQ(Wait([&] { return store.Activate("next"); }), Status::kOk);
    return longest_ns;
  }

  simulator::SimulatedClock clock_;
  simulator::PowerSupply power_;
  simulator::SpiNorPart part_{simulator::kW25Q16, clock_, power_, "", 256 * 1024};
  SpiNorFlash flash_{part_};
  std::vector<uint8_t> queue_ = std::vector<uint8_t>(512);
  std::vector<uint8_t> workspace_ = std::vector<uint8_t>(512);
  FlashDriver driver_{flash_, queue_};
};

TEST_F(ReadingDuringUpdate, WaitsForAnEraseOfTheUpdate) {
  EXPECT_GT(MeasureLongestRead(driver_), simulator::kW25Q16.erase_ns / 2);
}

TEST_F(ReadingDuringUpdate, DoesNotWaitForItWhereItIsSuspended) {
  SuspendingDevice device(driver_, flash_);
  EXPECT_LT(MeasureLongestRead(device), 400'000u) << "0.4 ms";
}

}  // namespace
}  // namespace ota::storage
