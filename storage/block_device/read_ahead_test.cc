// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/read_ahead.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "base/units.h"
#include "storage/block_device/aligned_read.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/read_cache.h"
#include "storage/block_device/test_hardware.h"

namespace ota::storage {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kSizeBytes = MiB(1);
constexpr uint64_t kStepNs = 20'000;  ///< of a computation between two looks at the bus

/// A whole device as a source.
class DeviceSource final : public ByteSource {
 public:
  explicit DeviceSource(BlockDevice& device) : device_(device) {}
  uint32_t size_bytes() const override { return device_.geometry().size_bytes; }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return ReadUnaligned(device_, offset, target);
  }

 private:
  BlockDevice& device_;
};

using MakeHardware = std::function<std::unique_ptr<TestHardware>()>;

struct Kind {
  const char* name;
  MakeHardware make;
};

class ReadAheadTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    Prng prng(3);
    for (uint8_t& byte : content_) byte = static_cast<uint8_t>(prng.Next() >> 9);
    for (uint32_t at = 0; at < content_.size(); at += 512) {
      ASSERT_EQ(RunToEnd([&] { return device_.Program(at, ByteSpan(content_).subspan(at, 512)); }),
                Status::kOk);
    }
    ASSERT_EQ(RunToEnd([&] { return device_.Sync(); }), Status::kOk);
    hardware_->clock.set_skips_waits(false);
  }
  void TearDown() override { EXPECT_EQ(hardware_->collision_count(), 0u); }

  template <typename Function>
  Status RunToEnd(Function function) {
    Status status = function();
    while (status == Status::kBusy) {
      hardware_->clock.AdvanceNs(1000);
      status = function();
    }
    return status;
  }

  bool Holds(ByteSpan bytes, uint32_t offset) const {
    return std::equal(bytes.begin(), bytes.end(), content_.begin() + offset);
  }
  Status UseOtherwise(uint32_t use) {
    const Bytes added(512, 0x5A);
    Bytes other(600);
    switch (use) {
      case 0:
        return source_.Read(9000, other);
      case 1:
        return cache_.Erase(65536, 4096);
      case 2:
        return cache_.Program(65536, added);
      default:
        return cache_.Sync();
    }
  }
  uint64_t now_ns() const { return hardware_->clock.now_ns(); }
  void Compute() { hardware_->clock.AdvanceNs(kStepNs); }

  std::unique_ptr<TestHardware> hardware_ = GetParam().make();
  Bytes queue_ = Bytes(512);
  FlashDriver driver_{hardware_->controller(), queue_};
  ReadAheadDevice device_{driver_, hardware_->transfer()};
  Bytes pages_ = Bytes(2048);
  ReadCache cache_{device_, pages_, 512};
  DeviceSource stored_{cache_};
  ReadAheadSource source_{stored_, device_};
  Bytes content_ = Bytes(16384);
};

const Kind kSpiNor = {"SpiNor", [] { return std::make_unique<NorHardware>(kSizeBytes); }};
const Kind kEmmc = {"Emmc", [] { return std::make_unique<EmmcHardware>(kSizeBytes); }};
const Kind kSd = {"Sd", [] { return std::make_unique<SdHardware>(kSizeBytes); }};

std::string NameOf(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Parts, ReadAheadTest, testing::Values(kSpiNor, kSd, kEmmc), NameOf);

TEST_P(ReadAheadTest, TransfersWhileTheProcessorComputes) {
  Bytes target(8192, 0xEE);
  const uint64_t start_ns = now_ns();
  ASSERT_EQ(stored_.Read(0, target), Status::kOk);
  const uint64_t read_ns = now_ns() - start_ns;

  std::fill(target.begin(), target.end(), uint8_t{0xEE});
  const uint64_t ahead_start_ns = now_ns();
  ASSERT_EQ(source_.StartRead(0, target), Status::kOk);
  EXPECT_LT(now_ns() - ahead_start_ns, read_ns / 20) << "it does not wait";
  EXPECT_EQ(source_.FinishRead(), Status::kBusy);
  const uint64_t computed_ns = 2 * read_ns;
  for (uint64_t ns = 0; ns < computed_ns; ns += kStepNs) {
    Compute();
    source_.Drive();
  }
  EXPECT_EQ(source_.FinishRead(), Status::kOk);
  EXPECT_TRUE(Holds(target, 0));
  EXPECT_LT(now_ns() - ahead_start_ns, computed_ns + read_ns / 5)
      << "what it would have taken one after the other: " << computed_ns + read_ns;
}

TEST_P(ReadAheadTest, ReadsRangesThatNoSectorBeginsOrEndsWith) {
  for (const uint32_t offset : {0u, 1u, 511u, 512u, 700u}) {
    for (const uint32_t length : {1u, 3u, 512u, 513u, 1024u, 5000u}) {
      SCOPED_TRACE(std::to_string(offset) + ", " + std::to_string(length));
      Bytes target(length, 0xEE);
      ASSERT_EQ(source_.StartRead(offset, target), Status::kOk);
      ASSERT_EQ(RunToEnd([&] { return source_.FinishRead(); }), Status::kOk);
      EXPECT_TRUE(Holds(target, offset));
    }
  }
  EXPECT_EQ(source_.FinishRead(), Status::kWrongState);
  Bytes none;
  ASSERT_EQ(source_.StartRead(5, none), Status::kOk);
  EXPECT_EQ(source_.FinishRead(), Status::kOk);
}

TEST_P(ReadAheadTest, LeavesTheTargetAloneOnceItIsGivenUp) {
  Bytes target(4096);
  ASSERT_EQ(source_.StartRead(512, target), Status::kOk);
  Compute();
  source_.Drive();
  source_.AbandonRead();
  std::fill(target.begin(), target.end(), uint8_t{0xEE});
  hardware_->clock.AdvanceNs(100'000'000);
  source_.Drive();
  EXPECT_EQ(source_.FinishRead(), Status::kWrongState);
  Bytes other(700);
  ASSERT_EQ(source_.Read(100, other), Status::kOk);
  EXPECT_TRUE(Holds(other, 100));
  EXPECT_EQ(target, Bytes(4096, 0xEE));
}

TEST_P(ReadAheadTest, GoesOnAfterOtherUsesOfThePart) {
  Bytes target(6000);
  for (uint32_t use = 0; use < 4; ++use) {
    for (uint32_t steps = 0; steps < 40; steps += 7) {
      SCOPED_TRACE(std::to_string(use) + ", " + std::to_string(steps));
      std::fill(target.begin(), target.end(), uint8_t{0xEE});
      ASSERT_EQ(source_.StartRead(300, target), Status::kOk);
      EXPECT_EQ(source_.StartRead(0, target), Status::kWrongState);
      for (uint32_t i = 0; i < steps; ++i) {
        Compute();
        source_.Drive();
      }
      ASSERT_EQ(RunToEnd([&] { return UseOtherwise(use); }), Status::kOk);
      ASSERT_EQ(RunToEnd([&] { return source_.FinishRead(); }), Status::kOk);
      EXPECT_TRUE(Holds(target, 300));
    }
  }
}

TEST_P(ReadAheadTest, ComesToItsEndHoweverOftenItIsInterrupted) {
  Bytes target(6000);
  Bytes other(512);
  ASSERT_EQ(source_.StartRead(300, target), Status::kOk);
  Status status = Status::kBusy;
  for (uint32_t i = 0; i < 100 && status == Status::kBusy; ++i) {
    ASSERT_EQ(device_.Read(8192, other), Status::kOk);
    status = source_.FinishRead();
  }
  EXPECT_EQ(status, Status::kOk);
  EXPECT_TRUE(Holds(target, 300));
}

TEST_P(ReadAheadTest, NeedsNoCacheAboveTheDevice) {
  DeviceSource plain(device_);
  ReadAheadSource source(plain, device_);
  Bytes target(6000);
  const uint64_t start_ns = now_ns();
  ASSERT_EQ(source.StartRead(300, target), Status::kOk);
  ASSERT_EQ(RunToEnd([&] { return source.FinishRead(); }), Status::kOk);
  const uint64_t ahead_ns = now_ns() - start_ns;
  EXPECT_TRUE(Holds(target, 300));
  ASSERT_EQ(RunToEnd([&] { return plain.Read(300, target); }), Status::kOk);
  EXPECT_LT(ahead_ns, 2 * (now_ns() - start_ns - ahead_ns)) << "nothing was read again and again";
}

TEST_P(ReadAheadTest, LetsASecondSourceReadAtOnceMeanwhile) {
  ReadAheadSource second(stored_, device_);
  Bytes target(4096);
  Bytes other(4096);
  ASSERT_EQ(source_.StartRead(0, target), Status::kOk);
  ASSERT_EQ(second.StartRead(4096, other), Status::kOk);
  EXPECT_EQ(second.FinishRead(), Status::kOk);
  EXPECT_TRUE(Holds(other, 4096));
  ASSERT_EQ(RunToEnd([&] { return source_.FinishRead(); }), Status::kOk);
  EXPECT_TRUE(Holds(target, 0));
}

TEST_P(ReadAheadTest, RefusesWhatLiesOutside) {
  Bytes target(10);
  EXPECT_EQ(source_.StartRead(kSizeBytes - 9, target), Status::kOutOfRange);
  EXPECT_EQ(source_.FinishRead(), Status::kWrongState);
}

TEST_P(ReadAheadTest, EndsWhenThePowerIsLost) {
  Bytes target(4096);
  ASSERT_EQ(source_.StartRead(0, target), Status::kOk);
  Compute();
  hardware_->power.TurnOff();
  const Status status = RunToEnd([&] { return source_.FinishRead(); });
  EXPECT_TRUE(status == Status::kMediumFailed || !Holds(target, 0));
}

/// Serial NOR does not tell of failures.
class ReadAheadFailureTest : public ReadAheadTest {};

INSTANTIATE_TEST_SUITE_P(Parts, ReadAheadFailureTest, testing::Values(kSd, kEmmc), NameOf);

TEST_P(ReadAheadFailureTest, TellsOfAFailureAndReadsAgainAfterIt) {
  Bytes target(2048);
  hardware_->FailNextRead();
  ASSERT_EQ(source_.StartRead(0, target), Status::kOk);
  EXPECT_EQ(RunToEnd([&] { return source_.FinishRead(); }), Status::kMediumFailed);
  ASSERT_EQ(source_.StartRead(0, target), Status::kOk);
  EXPECT_EQ(RunToEnd([&] { return source_.FinishRead(); }), Status::kOk);
  EXPECT_TRUE(Holds(target, 0));
}

}  // namespace
}  // namespace ota::storage
