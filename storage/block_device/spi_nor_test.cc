// SPDX-License-Identifier: Apache-2.0
// Serial NOR that is read while it erases, and on four lines.
#include "storage/block_device/spi_nor.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/units.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/quad_spi_nor.h"
#include "storage/block_device/read_ahead.h"
#include "storage/block_device/suspending_device.h"

namespace ota::storage {
namespace {

using Bytes = std::vector<uint8_t>;
using simulator::kW25Q16;

Bytes Counting(size_t length) {
  Bytes bytes(length);
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(i % 251);
  return bytes;
}

class SpiNorWorld : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(part_.violation_count(), 0u); }

  template <typename Function>
  Status RunToEnd(Function function) {
    Status status = function();
    while (status == Status::kBusy) {
      clock_.AdvanceNs(1000);
      status = function();
    }
    return status;
  }

  simulator::SimulatedClock clock_;
  simulator::PowerSupply power_;
  simulator::SpiNorPart part_{kW25Q16, clock_, power_};
  Bytes queue_ = Bytes(512);
};

class SuspendingDeviceTest : public SpiNorWorld {
 protected:
  void SetUp() override {
    ASSERT_EQ(flash_.Start(), Status::kOk);
    for (uint32_t at = 0; at < content_.size(); at += 512) {
      const ByteSpan piece = ByteSpan(content_).subspan(at, 512);
      ASSERT_EQ(RunToEnd([&] { return device_.Program(at, piece); }), Status::kOk);
    }
    ASSERT_EQ(RunToEnd([&] { return device_.Sync(); }), Status::kOk);
    clock_.set_skips_waits(false);
  }
  bool Holds(ByteSpan bytes, uint32_t offset) const {
    return std::equal(bytes.begin(), bytes.end(), content_.begin() + offset);
  }

  SpiNorFlash flash_{part_};
  FlashDriver driver_{flash_, queue_};
  SuspendingDevice device_{driver_, flash_};
  Bytes content_ = Counting(KiB(16));
};

TEST_F(SuspendingDeviceTest, ReadsWhileASectorIsErased) {
  ASSERT_EQ(device_.Erase(KiB(4), KiB(4)), Status::kOk);
  clock_.AdvanceNs(5'000'000);
  const uint64_t start_ns = clock_.now_ns();
  Bytes read(1000);
  ASSERT_EQ(device_.Read(500, read), Status::kOk);
  EXPECT_TRUE(Holds(read, 500));
  EXPECT_LT(clock_.now_ns() - start_ns, 300'000u) << "and not the 40 ms that are left";
  EXPECT_TRUE(device_.is_busy());
  EXPECT_EQ(device_.Sync(), Status::kBusy);
}

TEST_F(SuspendingDeviceTest, DoesNotReadWhatIsErased) {
  ASSERT_EQ(device_.Erase(KiB(4), KiB(4)), Status::kOk);
  Bytes read(2);
  EXPECT_EQ(device_.Read(KiB(4) - 1, read), Status::kBusy);
  EXPECT_EQ(device_.Read(KiB(8) - 1, read), Status::kBusy);
  EXPECT_EQ(device_.Read(KiB(4) - 2, read), Status::kOk);
  EXPECT_EQ(device_.Read(KiB(8), read), Status::kOk);
  EXPECT_TRUE(Holds(read, KiB(8)));
  ASSERT_EQ(RunToEnd([&] { return device_.Read(KiB(4), read); }), Status::kOk);
  EXPECT_EQ(read, Bytes(2, 0xFF));
}

TEST_F(SuspendingDeviceTest, ComesToTheEndOfAnEraseWhoseReadsNeverCease) {
  ASSERT_EQ(device_.Erase(KiB(4), KiB(8)), Status::kOk);
  const uint64_t start_ns = clock_.now_ns();
  Bytes read(256);
  uint32_t count = 0;
  while (device_.is_busy()) {
    ASSERT_LT(clock_.now_ns() - start_ns, 10 * 2 * kW25Q16.erase_ns);
    const Status status = device_.Read(256, read);
    ASSERT_TRUE(IsOk(status) || status == Status::kBusy);
    count += IsOk(status) ? 1 : 0;
  }
  EXPECT_GT(count, 100u);
  EXPECT_TRUE(Holds(read, 256));
  Bytes erased(KiB(8));
  ASSERT_EQ(device_.Read(KiB(4), erased), Status::kOk);
  EXPECT_EQ(erased, Bytes(KiB(8), 0xFF));
}

TEST_F(SuspendingDeviceTest, ReadsWhileAPageIsProgrammed) {
  const Bytes data(512, 0x3C);
  ASSERT_EQ(device_.Program(KiB(32), data), Status::kOk);
  Bytes read(100);
  EXPECT_EQ(device_.Read(KiB(32) + 10, read), Status::kBusy);
  ASSERT_EQ(device_.Read(0, read), Status::kOk);
  EXPECT_TRUE(Holds(read, 0));
  ASSERT_EQ(RunToEnd([&] { return device_.Sync(); }), Status::kOk);
  Bytes programmed(512);
  ASSERT_EQ(device_.Read(KiB(32), programmed), Status::kOk);
  EXPECT_EQ(programmed, data);
}

TEST_F(SuspendingDeviceTest, RefusesWhatLiesOutsideAndReadsNothingWithoutPower) {
  Bytes read(10);
  ASSERT_EQ(device_.Erase(KiB(4), KiB(4)), Status::kOk);
  EXPECT_EQ(device_.Read(MiB(2) - 9, read), Status::kOutOfRange);
  power_.TurnOff();
  (void)device_.Read(0, read);  // whatever it says, it returns
  EXPECT_EQ(RunToEnd([&] { return device_.Sync(); }), Status::kMediumFailed);
}

class QuadSpiNorTest : public SpiNorWorld {
 protected:
  QuadSpiNorFlash flash_{part_};
  FlashDriver driver_{flash_, queue_};
};

TEST_F(QuadSpiNorTest, EnablesFourLinesOnceAndReadsOnThem) {
  EXPECT_EQ(flash_.Start(), Status::kBusy) << "the part is told";
  ASSERT_EQ(RunToEnd([&] { return flash_.Start(); }), Status::kOk);
  EXPECT_EQ(flash_.Start(), Status::kOk);
  const Bytes data = Counting(500);
  ASSERT_EQ(driver_.Program(0x1F3, data), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return driver_.Sync(); }), Status::kOk);
  Bytes read(500);
  const uint64_t start_ns = clock_.now_ns();
  ASSERT_EQ(driver_.Read(0x1F3, read), Status::kOk);
  EXPECT_EQ(read, data);
  EXPECT_LT(clock_.now_ns() - start_ns, 500u * 50 + 3000) << "a byte in two clocks of 25 ns";
}

TEST_F(QuadSpiNorTest, FindsThemEnabledAfterARestart) {
  ASSERT_EQ(RunToEnd([&] { return flash_.Start(); }), Status::kOk);
  part_.Reset();
  QuadSpiNorFlash again(part_);
  EXPECT_EQ(again.Start(), Status::kOk);
}

TEST_F(QuadSpiNorTest, ReadsAheadOnFourLines) {
  ASSERT_EQ(RunToEnd([&] { return flash_.Start(); }), Status::kOk);
  const Bytes data = Counting(500);
  ASSERT_EQ(driver_.Program(0, data), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return driver_.Sync(); }), Status::kOk);
  clock_.set_skips_waits(false);
  QuadSpiNorTransfer transfer(flash_, part_);
  ReadAheadDevice device(driver_, transfer);
  Bytes read(500);
  ASSERT_TRUE(device.TryBeginAhead(read));
  EXPECT_EQ(device.Read(0, read), Status::kBusy);
  clock_.AdvanceNs(500 * 50);
  EXPECT_EQ(device.Read(0, read), Status::kOk);
  EXPECT_EQ(read, data);
  device.EndAhead();
}

TEST_F(QuadSpiNorTest, TellsThatNobodyAnswers) {
  power_.TurnOff();
  EXPECT_EQ(flash_.Start(), Status::kNotSupported);
}

}  // namespace
}  // namespace ota::storage
