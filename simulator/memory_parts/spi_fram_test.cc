// SPDX-License-Identifier: Apache-2.0
// FRAM on SPI: the part and the driver that speaks to it.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "base/units.h"
#include "simulator/memory_parts/spi_fram_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/spi_fram.h"

namespace ota::simulator {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Counting(size_t length) {
  Bytes bytes(length);
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(i % 251 + 1);
  return bytes;
}

Bytes Ask(SpiFramPart& part, const Bytes& command, size_t count) {
  Bytes answer(count);
  part.Select();
  part.Write(command);
  part.Read(answer);
  part.Deselect();
  return answer;
}

// --- the part

class SpiFramPartTest : public testing::Test {
 protected:
  void SetUp() override { clock_.set_skips_waits(false); }
  void Send(const Bytes& bytes) { (void)Ask(part_, bytes, 0); }
  uint8_t cell(uint32_t offset) { return part_.array().bytes()[offset]; }

  SimulatedClock clock_;
  PowerSupply power_;
  SpiFramPart part_{kFm25V10, clock_, power_};
};

TEST_F(SpiFramPartTest, WritesOnlyWithWriteEnableAndDisablesItAfterEachWrite) {
  Send({0x02, 0, 0, 5, 1});
  EXPECT_EQ(cell(5), 0);
  EXPECT_EQ(part_.violation_count(), 1u);
  Send({0x06});
  Send({0x02, 0, 0, 5, 1});
  EXPECT_EQ(cell(5), 1);
  Send({0x02, 0, 0, 6, 1});
  EXPECT_EQ(cell(6), 0);
  Send({0x06});
  Send({0x04});
  Send({0x02, 0, 0, 6, 1});
  EXPECT_EQ(cell(6), 0);
  EXPECT_EQ(part_.violation_count(), 3u);
}

TEST_F(SpiFramPartTest, HasNoPagesAndGoesOnFromItsEndToItsStart) {
  Bytes write = {0x02, 0x01, 0xFE, 0x03};
  const Bytes data = Counting(600);
  write.insert(write.end(), data.begin(), data.end());
  Send({0x06});
  Send(write);
  const uint32_t head = KiB(128) - 0x1FE03;
  ASSERT_LT(head, 600u);
  EXPECT_TRUE(std::equal(data.begin(), data.begin() + head, &part_.array().bytes()[0x1FE03]));
  EXPECT_TRUE(std::equal(data.begin() + head, data.end(), part_.array().bytes().data()));
  EXPECT_EQ(cell(600 - head), 0);
  EXPECT_EQ(Ask(part_, {0x03, 0x01, 0xFE, 0x03}, 600), data);
}

TEST_F(SpiFramPartTest, TakesNoTimeButThatOfTheBus) {
  Send({0x06});
  const uint64_t start_ns = clock_.now_ns();
  Send({0x02, 0, 0, 0, 1, 2, 3, 4});
  EXPECT_EQ(clock_.now_ns() - start_ns, 8 * 200u);
  EXPECT_EQ(Ask(part_, {0x05}, 1)[0], 0) << "neither busy nor write enabled";
}

TEST_F(SpiFramPartTest, KeepsProtectedBlocksAsTheyAre) {
  Send({0x01, 0x04});
  EXPECT_EQ(Ask(part_, {0x05}, 1)[0], 0) << "that too needs write enable";
  Send({0x06});
  Send({0x01, 0x04});
  EXPECT_EQ(Ask(part_, {0x05}, 1)[0], 0x04);
  Send({0x06});
  Send({0x02, 0x01, 0x7F, 0xFE, 1, 2, 3, 4});
  EXPECT_EQ(cell(0x17FFF), 2);
  EXPECT_EQ(cell(0x18000), 0) << "the upper quarter";
  EXPECT_EQ(part_.violation_count(), 3u);
  Send({0x06});
  Send({0x01, 0x0C});
  Send({0x06});
  Send({0x02, 0, 0, 0, 1});
  EXPECT_EQ(cell(0), 0) << "all of it";
}

TEST_F(SpiFramPartTest, HearsNothingInSleepAndForAWhileAfterTheSelectThatWakesIt) {
  Send({0xB9});
  Send({0x06});
  Send({0x06});
  EXPECT_EQ(part_.violation_count(), 2u);
  clock_.AdvanceNs(kFm25V10.wake_ns);
  Send({0x06});
  EXPECT_EQ(Ask(part_, {0x05}, 1)[0], 0x02);
  EXPECT_EQ(part_.violation_count(), 2u);
}

TEST_F(SpiFramPartTest, TellsWhatItIs) {
  EXPECT_EQ(Ask(part_, {0x9F}, 9), (Bytes{0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0xC2, 0x24, 0x00}));
}

TEST_F(SpiFramPartTest, WearsByReadsAsByWritesOncePerRow) {
  Send({0x06});
  Send({0x02, 0, 0, 4, 1, 2, 3, 4, 5});
  EXPECT_EQ(part_.array().wear(0), 1u);
  EXPECT_EQ(part_.array().wear(1), 1u);
  (void)Ask(part_, {0x03, 0, 0, 0}, 16);  // for its wear
  EXPECT_EQ(part_.array().wear(0), 2u);
  EXPECT_EQ(part_.array().wear(1), 2u);
  EXPECT_EQ(part_.array().wear(2), 0u);
}

TEST_F(SpiFramPartTest, LosesAtMostTheRowThatIsWrittenWhenPowerFails) {
  for (uint32_t seed = 1; seed < 30; ++seed) {
    const Bytes old = Bytes(part_.array().bytes().begin(), part_.array().bytes().begin() + 64);
    Bytes write = {0x02, 0, 0, 0};
    write.insert(write.end(), 64, static_cast<uint8_t>(seed));
    Send({0x06});
    power_.CutAt(power_.point_count() + 20, seed);
    Send(write);
    EXPECT_FALSE(power_.is_on());
    power_.Restore();
    part_.Reset();
    for (uint32_t i = 0; i < 64; ++i) {
      const bool is_torn = i >= 16 && i < 24;
      EXPECT_TRUE(is_torn || cell(i) == (i < 16 ? seed : old[i])) << i;
    }
    EXPECT_EQ(Ask(part_, {0x05}, 1)[0], 0) << "nothing can be written after it";
  }
}

// --- the driver

struct Case {
  const SpiFramTraits* traits;
  uint32_t told_bytes;
  friend void PrintTo(const Case& test, std::ostream* target) { *target << test.traits->name; }
};

class SpiFramTest : public testing::TestWithParam<Case> {
 protected:
  void TearDown() override { EXPECT_EQ(part_.violation_count(), 0u); }

  SimulatedClock clock_;
  PowerSupply power_;
  SpiFramPart part_{*GetParam().traits, clock_, power_};
  storage::SpiFram fram_{part_, GetParam().told_bytes};
  Bytes queue_ = Bytes(512);
  storage::FlashDriver driver_{fram_, queue_};
};

INSTANTIATE_TEST_SUITE_P(Parts, SpiFramTest,
                         testing::Values(Case{&kFm25V10, 0}, Case{&kFm25W256, KiB(32)},
                                         Case{&kMb85Rs64V, 0}, Case{&kMb85Rs2Mt, 0}),
                         [](const auto& info) { return std::string(info.param.traits->name); });

TEST_P(SpiFramTest, WritesAndReadsAllOverThePart) {
  ASSERT_EQ(fram_.Start(), Status::kOk);
  const uint32_t size = GetParam().traits->size_bytes;
  EXPECT_EQ(driver_.geometry().size_bytes, size);
  const Bytes data = Counting(512);
  for (const uint32_t offset : {0u, size / 2 - 256, size - 512}) {
    ASSERT_EQ(driver_.Program(offset, data), Status::kOk);
    EXPECT_FALSE(driver_.is_busy());
    ASSERT_EQ(driver_.Sync(), Status::kOk);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), &part_.array().bytes()[offset]));
    Bytes read(500);
    ASSERT_EQ(driver_.Read(offset + 3, read), Status::kOk);
    EXPECT_TRUE(std::equal(read.begin(), read.end(), data.begin() + 3));
  }
  ASSERT_EQ(driver_.Erase(0, 512), Status::kOk);
  ASSERT_EQ(driver_.Sync(), Status::kOk);
  EXPECT_EQ(part_.array().bytes()[511], 0);
}

TEST_P(SpiFramTest, RefusesPartsOfRowsAndWhatLiesOutside) {
  ASSERT_EQ(fram_.Start(), Status::kOk);
  const Bytes data = Counting(16);
  EXPECT_EQ(driver_.Program(4, data), Status::kMisaligned);
  EXPECT_EQ(driver_.Program(GetParam().traits->size_bytes - 8, data), Status::kOutOfRange);
}

TEST_P(SpiFramTest, NoticesThatThePartIsGone) {
  ASSERT_EQ(fram_.Start(), Status::kOk);
  power_.TurnOff();
  EXPECT_NE(driver_.Program(0, Counting(16)), Status::kOk);
  EXPECT_NE(driver_.Sync(), Status::kOk);
  storage::SpiFram absent(part_, GetParam().told_bytes);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = absent.Start();
  EXPECT_EQ(status, Status::kNotSupported);
}

TEST(SpiFram, WakesAPartThatSleeps) {
  SimulatedClock clock;
  clock.set_skips_waits(false);
  PowerSupply power;
  SpiFramPart part(kFm25V10, clock, power);
  (void)Ask(part, {0xB9}, 0);
  storage::SpiFram fram(part);
  EXPECT_EQ(fram.Start(), Status::kBusy);
  clock.AdvanceNs(kFm25V10.wake_ns);
  EXPECT_EQ(fram.Start(), Status::kOk);
}

}  // namespace
}  // namespace ota::simulator
