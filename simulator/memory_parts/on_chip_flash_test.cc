// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/on_chip_flash.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/units.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/partition.h"

namespace ota::simulator {
namespace {

class OnChipFlashTest : public testing::Test {
 protected:
  SimulatedClock clock_;
  PowerSupply power_;
  OnChipFlash flash_{kStm32H743Flash, clock_, power_};
  std::array<uint8_t, 256> queue_;
  storage::FlashDriver driver_{flash_, queue_};

  void Finish() {
    Status status = Status::kBusy;
    while (status == Status::kBusy) status = driver_.Sync();
    EXPECT_EQ(status, Status::kOk);
  }
};

TEST_F(OnChipFlashTest, ControllerRefusesWhatCrossesAWord) {
  const std::array<uint8_t, 64> data{};
  EXPECT_EQ(flash_.StartProgram(0, data), Status::kMisaligned);
  EXPECT_EQ(flash_.StartProgram(16, ByteSpan(data).first(32)), Status::kMisaligned);
  EXPECT_EQ(flash_.StartProgram(0, ByteSpan(data).first(31)), Status::kMisaligned);
  EXPECT_EQ(flash_.StartProgram(MiB(2), ByteSpan(data).first(32)), Status::kOutOfRange);
  EXPECT_EQ(flash_.StartErase(4096), Status::kMisaligned);
}

TEST_F(OnChipFlashTest, IsBusyForAsLongAsTheRealOne) {
  clock_.set_skips_waits(false);
  ASSERT_EQ(flash_.StartErase(0), Status::kOk);
  EXPECT_EQ(flash_.Poll(), Status::kBusy);
  EXPECT_EQ(flash_.StartErase(KiB(128)), Status::kBusy);
  clock_.AdvanceNs(kStm32H743Flash.erase_ns - 1);
  EXPECT_EQ(flash_.Poll(), Status::kBusy);
  clock_.AdvanceNs(1);
  EXPECT_EQ(flash_.Poll(), Status::kOk);
  EXPECT_GT(flash_.nor().figures().energy_nj, 0u);
}

TEST_F(OnChipFlashTest, OneBankIsReadWhileTheOtherOneIsErased) {
  clock_.set_skips_waits(false);
  ASSERT_EQ(flash_.StartErase(0), Status::kOk);
  std::array<uint8_t, 64> read;
  EXPECT_EQ(flash_.Read(MiB(1) - 64, read), Status::kBusy);
  EXPECT_EQ(flash_.Read(MiB(1) - 32, read), Status::kBusy) << "in both";
  EXPECT_EQ(flash_.Read(MiB(1), read), Status::kOk);
  EXPECT_EQ(flash_.StartErase(MiB(1)), Status::kBusy) << "there is one controller";
}

TEST_F(OnChipFlashTest, DriverProgramsWordByWordAndReadsBack) {
  std::array<uint8_t, 256> data;
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i % 251);
  ASSERT_EQ(driver_.Program(KiB(128), data), Status::kOk);
  std::array<uint8_t, 256> read{};
  EXPECT_EQ(driver_.Read(KiB(128), read), Status::kBusy);
  Finish();
  ASSERT_EQ(driver_.Read(KiB(128), read), Status::kOk);
  EXPECT_EQ(read, data);
  EXPECT_GE(clock_.now_ns(), 8u * kStm32H743Flash.program_ns);
  ASSERT_TRUE(driver_.Map().has_value());
  EXPECT_EQ((*driver_.Map())[KiB(128) + 5], 5);
}

TEST_F(OnChipFlashTest, DriverGuardsRangeAndAlignment) {
  std::array<uint8_t, 512> data{};
  EXPECT_EQ(driver_.Program(MiB(2), ByteSpan(data).first(32)), Status::kOutOfRange);
  EXPECT_EQ(driver_.Program(0xFFFFFFE0, ByteSpan(data).first(32)), Status::kOutOfRange);
  EXPECT_EQ(driver_.Program(8, ByteSpan(data).first(32)), Status::kMisaligned);
  EXPECT_EQ(driver_.Program(0, data), Status::kInvalidArgument) << "longer than the queue";
  EXPECT_EQ(driver_.Erase(0, KiB(4)), Status::kMisaligned);
  EXPECT_EQ(driver_.Read(MiB(2) - 1, MutableByteSpan(data).first(2)), Status::kOutOfRange);
}

TEST_F(OnChipFlashTest, DriverTellsALaterFailureInSyncOnce) {
  flash_.nor().MarkBad(1, BadUnit::kLoud);
  ASSERT_EQ(driver_.Erase(0, KiB(256)), Status::kOk);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = driver_.Sync();
  EXPECT_EQ(status, Status::kMediumFailed);
  EXPECT_EQ(driver_.Sync(), Status::kOk);
}

TEST_F(OnChipFlashTest, PartitionShiftsAndBounds) {
  storage::Partition partition(driver_, KiB(256), KiB(128));
  EXPECT_EQ(partition.geometry().size_bytes, KiB(128));
  const std::array<uint8_t, 32> data{};
  ASSERT_EQ(partition.Program(32, data), Status::kOk);
  Finish();
  EXPECT_EQ((*driver_.Map())[KiB(256) + 32], 0);
  EXPECT_EQ((*partition.Map())[32], 0);
  EXPECT_EQ(partition.Program(KiB(128), data), Status::kOutOfRange);
  EXPECT_EQ(storage::Partition(driver_, 4096, KiB(128)).geometry().size_bytes, 0u);
}

}  // namespace
}  // namespace ota::simulator
