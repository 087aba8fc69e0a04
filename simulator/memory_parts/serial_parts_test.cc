// SPDX-License-Identifier: Apache-2.0
// The serial parts and the drivers that speak to them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/units.h"
#include "simulator/memory_parts/i2c_memory_part.h"
#include "simulator/memory_parts/sd_card_part.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/i2c_eeprom.h"
#include "storage/block_device/sd_card.h"
#include "storage/block_device/sd_crc.h"
#include "storage/block_device/spi_nor.h"

namespace ota::simulator {
namespace {

std::vector<uint8_t> Counting(size_t length) {
  std::vector<uint8_t> bytes(length);
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(i % 251);
  return bytes;
}

template <typename Device>
Status Sync(Device& device) {
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = device.Sync();
  return status;
}

template <typename Function>
Status Retry(Function function) {
  for (;;) {
    const Status status = function();
    if (status != Status::kBusy) return status;
  }
}

// --- SPI NOR

class SpiNorTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(flash_.Start(), Status::kOk); }

  void Send(std::vector<uint8_t> bytes) {
    part_.Select();
    part_.Write(bytes);
    part_.Deselect();
  }
  uint8_t ReadAt(uint32_t offset) { return part_.nor().bytes()[offset]; }

  SimulatedClock clock_;
  PowerSupply power_;
  SpiNorPart part_{kW25Q16, clock_, power_};
  storage::SpiNorFlash flash_{part_};
  std::array<uint8_t, 512> queue_;
  storage::FlashDriver driver_{flash_, queue_};
};

TEST_F(SpiNorTest, TellsItsSize) {
  EXPECT_EQ(driver_.geometry().size_bytes, MiB(2));
  EXPECT_EQ(driver_.geometry().erase_unit, KiB(4));
}

TEST_F(SpiNorTest, PartProgramsOnlyWithWriteEnableAndWrapsInsideThePage) {
  Send({0x02, 0x00, 0x01, 0xFE, 1, 2, 3, 4});
  EXPECT_EQ(ReadAt(0x1FE), 0xFF);
  EXPECT_EQ(part_.violation_count(), 1u);
  Send({0x06});
  Send({0x02, 0x00, 0x01, 0xFE, 1, 2, 3, 4});
  EXPECT_EQ(ReadAt(0x1FE), 1);
  EXPECT_EQ(ReadAt(0x1FF), 2);
  EXPECT_EQ(ReadAt(0x100), 3) << "wrapped";
  EXPECT_EQ(ReadAt(0x101), 4);
  EXPECT_EQ(ReadAt(0x200), 0xFF);
}

TEST_F(SpiNorTest, PartClearsWriteEnableAfterEachProgram) {
  Send({0x06});
  Send({0x02, 0, 0, 0, 1});
  clock_.AdvanceNs(10'000'000);
  Send({0x02, 0, 0, 1, 1});
  EXPECT_EQ(ReadAt(1), 0xFF);
}

TEST_F(SpiNorTest, PartIgnoresCommandsWhileBusy) {
  clock_.set_skips_waits(false);
  Send({0x06});
  Send({0x20, 0, 0, 0});
  EXPECT_EQ(flash_.Poll(), Status::kBusy);
  Send({0x02, 0, 0, 0, 1});
  EXPECT_EQ(ReadAt(0), 0xFF);
  EXPECT_EQ(part_.violation_count(), 1u);
  clock_.AdvanceNs(kW25Q16.erase_ns);
  EXPECT_EQ(flash_.Poll(), Status::kOk);
}

TEST_F(SpiNorTest, PartKeepsBitsAtZeroAndCountsIt) {
  Send({0x06});
  Send({0x02, 0, 0, 0, 0x0F});
  clock_.AdvanceNs(10'000'000);
  Send({0x06});
  Send({0x02, 0, 0, 0, 0xF0});
  EXPECT_EQ(ReadAt(0), 0x00);
  EXPECT_EQ(part_.violation_count(), 1u);
}

TEST_F(SpiNorTest, PartErasesWhatItsCommandSays) {
  const std::pair<uint8_t, uint32_t> commands[] = {
      {0x20, KiB(4)}, {0x52, KiB(32)}, {0xD8, KiB(64)}};
  for (const auto& [command, unit] : commands) {
    for (const uint32_t offset : {0u, unit - 1, unit}) {
      part_.nor().FlipBit(KiB(128) + offset, 0);
    }
    Send({0x06});
    Send({command, 0x02, 0x00, 0x05});
    EXPECT_EQ(ReadAt(KiB(128)), 0xFF) << unit;
    EXPECT_EQ(ReadAt(KiB(128) + unit - 1), 0xFF);
    EXPECT_EQ(ReadAt(KiB(128) + unit), 0xFE);
    EXPECT_EQ(Retry([&] { return flash_.Poll(); }), Status::kOk);
  }
  Send({0x06});
  Send({0xC7});
  EXPECT_EQ(ReadAt(KiB(128) + KiB(64)), 0xFF) << "all of it";
}

TEST_F(SpiNorTest, PartInPowerDownHearsOnlyTheWakeUp) {
  Send({0xB9});
  Send({0x06});
  Send({0x02, 0, 0, 0, 1});
  EXPECT_EQ(ReadAt(0), 0xFF);
  EXPECT_EQ(part_.violation_count(), 2u);
  Send({0xAB});
  Send({0x06});
  Send({0x02, 0, 0, 0, 1});
  EXPECT_EQ(ReadAt(0), 1);
}

TEST_F(SpiNorTest, PartResetsOnBothHalvesInARow) {
  Send({0x06});
  Send({0x99});
  Send({0x02, 0, 0, 0, 1});
  EXPECT_EQ(ReadAt(0), 1) << "the second half alone is nothing";
  EXPECT_EQ(Retry([&] { return flash_.Poll(); }), Status::kOk);
  Send({0x06});
  Send({0x66});
  Send({0x99});
  Send({0x02, 0, 0, 1, 1});
  EXPECT_EQ(ReadAt(1), 0xFF) << "a reset disables writes";
}

TEST_F(SpiNorTest, TransfersTakeTimeAndEnergy) {
  const PartFigures before = part_.nor().figures();
  const uint64_t start_ns = clock_.now_ns();
  std::vector<uint8_t> read(KiB(40));
  ASSERT_EQ(driver_.Read(0, read), Status::kOk);
  const PartFigures spent = Subtract(part_.nor().figures(), before);
  EXPECT_EQ(spent.read_bytes, KiB(40));
  EXPECT_NEAR(static_cast<double>(spent.transfer_ns), KiB(40) * 200.0, 2000) << "at 40 MHz";
  EXPECT_EQ(clock_.now_ns() - start_ns, spent.transfer_ns);
  EXPECT_NEAR(static_cast<double>(spent.energy_nj), 8.2e-3 * 15e-3 * 3.3 * 1e9, 1e4);
}

TEST_F(SpiNorTest, DriverProgramsOverPageBorders) {
  const auto data = Counting(500);
  ASSERT_EQ(driver_.Program(0x1F3, data), Status::kOk);
  ASSERT_EQ(Sync(driver_), Status::kOk);
  std::vector<uint8_t> read(500);
  ASSERT_EQ(driver_.Read(0x1F3, read), Status::kOk);
  EXPECT_EQ(read, data);
  ASSERT_EQ(driver_.Erase(0, KiB(8)), Status::kOk);
  ASSERT_EQ(Sync(driver_), Status::kOk);
  EXPECT_EQ(ReadAt(0x1F3), 0xFF);
  EXPECT_EQ(part_.violation_count(), 0u);
  EXPECT_EQ(part_.nor().wear(1), 1u);
}

TEST_F(SpiNorTest, DriverNoticesThatThePartIsGone) {
  power_.TurnOff();
  EXPECT_EQ(driver_.Program(0, Counting(16)), Status::kMediumFailed);
  EXPECT_EQ(flash_.Start(), Status::kNotSupported);
}

TEST(SpiNor, PartsAbove16MiBTakeLongAddresses) {
  SimulatedClock clock;
  PowerSupply power;
  SpiNorPart part(kW25Q256, clock, power);
  storage::SpiNorFlash flash(part);
  ASSERT_EQ(flash.Start(), Status::kOk);
  std::array<uint8_t, 512> queue;
  storage::FlashDriver driver(flash, queue);
  ASSERT_EQ(driver.geometry().size_bytes, MiB(32));
  ASSERT_EQ(driver.Program(MiB(17) + 100, Counting(300)), Status::kOk);
  ASSERT_EQ(Sync(driver), Status::kOk);
  std::vector<uint8_t> read(300);
  ASSERT_EQ(driver.Read(MiB(17) + 100, read), Status::kOk);
  EXPECT_EQ(read, Counting(300));
  EXPECT_EQ(part.nor().bytes()[MiB(1) + 100], 0xFF);
}

// --- I2C

class I2cTest : public testing::TestWithParam<const I2cMemoryTraits*> {
 protected:
  SimulatedClock clock_;
  PowerSupply power_;
  I2cMemoryPart part_{*GetParam(), clock_, power_};
  storage::I2cEeprom eeprom_{part_, part_.layout()};
  std::array<uint8_t, 512> queue_;
  storage::FlashDriver driver_{eeprom_, queue_};
};

TEST_P(I2cTest, DriverWritesAndReadsAllOverThePart) {
  const uint32_t size = GetParam()->layout.size_bytes;
  const uint32_t length = 2 * GetParam()->layout.page_bytes;
  const auto data = Counting(length);
  for (const uint32_t offset : {0u, size / 2 - length / 2, size - length}) {
    ASSERT_EQ(Retry([&] { return driver_.Program(offset, data); }), Status::kOk) << offset;
    ASSERT_EQ(Sync(driver_), Status::kOk);
    std::vector<uint8_t> read(length);
    ASSERT_EQ(driver_.Read(offset, read), Status::kOk);
    EXPECT_EQ(read, data) << offset;
    EXPECT_TRUE(std::equal(data.begin(), data.end(), part_.array().bytes().begin() + offset));
  }
  ASSERT_EQ(Retry([&] { return driver_.Erase(0, length); }), Status::kOk);
  ASSERT_EQ(Sync(driver_), Status::kOk);
  EXPECT_EQ(part_.array().bytes()[3], 0xFF);
}

INSTANTIATE_TEST_SUITE_P(Parts, I2cTest,
                         testing::Values(&k24Lc16, &k24Lc256, &k24Lc512, &k24Lc1025, &kAt24Cm02,
                                         &kTwoAt24Cm02, &kFm24V10),
                         [](const auto& info) {
                           std::string name = info.param->name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST(I2cEeprom, OneOfTwoChipsAnswersWhileTheOtherWrites) {
  SimulatedClock clock;
  clock.set_skips_waits(false);
  PowerSupply power;
  I2cMemoryPart part(kTwoAt24Cm02, clock, power);
  const std::array<uint8_t, 2> address = {0, 0};
  EXPECT_TRUE(part.Write(0x52, address, Counting(4)));
  EXPECT_FALSE(part.Write(0x50, {}, {})) << "the same chip";
  EXPECT_TRUE(part.Write(0x54, {}, {})) << "the other one";
  EXPECT_EQ(part.array().bytes()[KiB(128) + 3], 3);
}

TEST(Fram, WritesAtOnceAndWearsWithReadsToo) {
  SimulatedClock clock;
  clock.set_skips_waits(false);
  PowerSupply power;
  I2cMemoryPart part(kFm24V10, clock, power);
  const std::array<uint8_t, 2> address = {0, 60};
  EXPECT_TRUE(part.Write(0x50, address, Counting(300)));
  EXPECT_TRUE(part.Write(0x50, {}, {})) << "no write cycle";
  EXPECT_EQ(part.array().bytes()[60 + 250], 250) << "no pages";
  const uint64_t wear = part.array().wear(8);
  std::array<uint8_t, 16> read;
  ASSERT_TRUE(part.Read(0x50, address, read));
  EXPECT_EQ(part.array().wear(8), wear + 1);
}

TEST(I2cEeprom, PartWrapsInsideThePageAndIsSilentWhileItWrites) {
  SimulatedClock clock;
  clock.set_skips_waits(false);
  PowerSupply power;
  I2cMemoryPart part(k24Lc256, clock, power);
  const std::array<uint8_t, 2> address = {0, 62};
  EXPECT_TRUE(part.Write(0x50, address, Counting(4)));
  EXPECT_EQ(part.array().bytes()[62], 0);
  EXPECT_EQ(part.array().bytes()[63], 1);
  EXPECT_EQ(part.array().bytes()[0], 2);
  EXPECT_EQ(part.array().bytes()[1], 3);
  EXPECT_EQ(part.array().bytes()[64], 0xFF);
  EXPECT_FALSE(part.Write(0x50, {}, {})) << "busy";
  clock.AdvanceNs(5'000'000);
  EXPECT_TRUE(part.Write(0x50, {}, {}));
  EXPECT_FALSE(part.Write(0x53, {}, {})) << "another address";
}

TEST(I2cEeprom, CutSpoilsThePageAndNoOther) {
  bool has_spoilt_other_bytes = false;
  for (uint32_t seed = 1; seed < 100; ++seed) {
    SimulatedClock clock;
    PowerSupply power;
    I2cMemoryPart part(k24Lc256, clock, power);
    power.CutAt(10, seed);
    const std::array<uint8_t, 2> address = {0, 64};
    part.Write(0x50, address, Counting(8));
    for (uint32_t i = 0; i < 256; ++i) {
      if (i >= 64 && i < 128) continue;
      ASSERT_EQ(part.array().bytes()[i], 0xFF);
    }
    for (uint32_t i = 72; i < 128; ++i) {
      has_spoilt_other_bytes = has_spoilt_other_bytes || part.array().bytes()[i] != 0xFF;
    }
  }
  EXPECT_TRUE(has_spoilt_other_bytes);
}

TEST(I2cEeprom, DriverGivesUpOnAPartThatIsGone) {
  SimulatedClock clock;
  PowerSupply power;
  I2cMemoryPart part(k24Lc256, clock, power);
  storage::I2cEeprom eeprom(part, part.layout());
  power.TurnOff();
  EXPECT_EQ(Retry([&] { return eeprom.Poll(); }), Status::kMediumFailed);
  std::array<uint8_t, 64> queue;
  storage::FlashDriver driver(eeprom, queue);
  EXPECT_EQ(Sync(driver), Status::kMediumFailed) << "and Sync comes to an end";
}

// --- SD

TEST(SdCrc, IsThatOfTheBitsOfEachLine) {
  const std::vector<uint8_t> block = Counting(512);
  for (const uint32_t lines : {1u, 4u, 8u}) {
    const storage::LineCheckBits crcs = storage::ComputeLineCheckBits(block, lines);
    for (uint32_t line = 0; line < lines; ++line) {
      std::vector<uint8_t> carried(512 / lines);
      uint32_t count = 0;
      for (uint32_t bit = 0; bit < 512 * 8; ++bit) {
        if ((7 - bit % 8) % lines != line) continue;
        const uint32_t value = (block[bit / 8] >> (7 - bit % 8)) & 1u;
        carried[count / 8] = static_cast<uint8_t>(carried[count / 8] * 2u | value);
        count += 1;
      }
      EXPECT_EQ(crcs[line], storage::ComputeSdCrc16(carried)) << line << " of " << lines;
    }
  }
}

TEST(SdCrc, KnownValues) {
  const std::array<uint8_t, 5> go_idle = {0x40, 0, 0, 0, 0};
  EXPECT_EQ(storage::ComputeSdCrc7(go_idle), 0x95);
  const std::array<uint8_t, 5> interface_condition = {0x48, 0, 0, 0x01, 0xAA};
  EXPECT_EQ(storage::ComputeSdCrc7(interface_condition), 0x87);
  const std::vector<uint8_t> ones(512, 0xFF);
  EXPECT_EQ(storage::ComputeSdCrc16(ones), 0x7FA1);  // from the specification, 4.5
}

class SdTest : public testing::TestWithParam<const SdCardTraits*> {
 protected:
  void SetUp() override {
    ASSERT_EQ(Retry([&] { return card_.Start(); }), Status::kOk);
  }

  SimulatedClock clock_;
  PowerSupply power_;
  SdCardPart part_{*GetParam(), clock_, power_};
  storage::SdCard card_{part_};
  std::array<uint8_t, 2048> queue_;
  storage::FlashDriver driver_{card_, queue_};
};

TEST_P(SdTest, DriverWritesAndReadsBlocks) {
  EXPECT_EQ(driver_.geometry().size_bytes, GetParam()->size_bytes);
  const auto data = Counting(2048);
  const uint32_t offset = GetParam()->size_bytes - 4096;
  ASSERT_EQ(driver_.Program(offset, data), Status::kOk);
  ASSERT_EQ(Sync(driver_), Status::kOk);
  std::vector<uint8_t> read(2048);
  ASSERT_EQ(Retry([&] { return driver_.Read(offset, read); }), Status::kOk);
  EXPECT_EQ(read, data);
  std::vector<uint8_t> single(512);
  ASSERT_EQ(Retry([&] { return driver_.Read(offset + 512, single); }), Status::kOk);
  EXPECT_TRUE(std::equal(single.begin(), single.end(), data.begin() + 512));
  ASSERT_EQ(Retry([&] { return driver_.Erase(offset, 1024); }), Status::kOk);
  ASSERT_EQ(Sync(driver_), Status::kOk);
  EXPECT_EQ(part_.array().bytes()[offset + 1023], 0);
  EXPECT_EQ(part_.array().bytes()[offset + 1025], data[1025]);
}

TEST_P(SdTest, ReadsAnEvenWholeBlocksOnly) {
  std::vector<uint8_t> part(100);
  EXPECT_EQ(driver_.Read(0, part), Status::kMisaligned);
  EXPECT_EQ(driver_.Program(256, Counting(512)), Status::kMisaligned);
}

TEST_P(SdTest, WrongCheckBitsAreNoticed) {
  part_.CorruptAnswers(2);  // the answer and the block
  std::vector<uint8_t> read(512);
  EXPECT_EQ(driver_.Read(0, read), Status::kMediumFailed);
  part_.CorruptAnswers(0);
  EXPECT_EQ(driver_.Read(0, read), Status::kOk);
}

TEST_P(SdTest, UnreadableSectorIsToldAndNoOtherOne) {
  part_.array().MarkUnreadable(3);
  std::vector<uint8_t> read(512);
  EXPECT_EQ(driver_.Read(3 * 512, read), Status::kMediumFailed);
  EXPECT_EQ(driver_.Read(4 * 512, read), Status::kOk);
}

TEST_P(SdTest, FailedWriteIsToldBySync) {
  part_.array().MarkBad(2);
  ASSERT_EQ(driver_.Program(1024, Counting(512)), Status::kOk);
  EXPECT_EQ(Sync(driver_), Status::kMediumFailed);
  EXPECT_EQ(Sync(driver_), Status::kOk);
}

TEST_P(SdTest, CutLosesCachedSectorsInAnyOrderButNothingSynced) {
  const auto data = Counting(512);
  int lost_in_front_count = 0;
  for (uint32_t seed = 1; seed < 60; ++seed) {
    part_.Reset();
    storage::SdCard card(part_);
    ASSERT_EQ(Retry([&] { return card.Start(); }), Status::kOk);
    storage::FlashDriver driver(card, queue_);
    ASSERT_EQ(Retry([&] { return driver.Erase(0, 8192); }), Status::kOk);
    ASSERT_EQ(Sync(driver), Status::kOk);
    ASSERT_EQ(Retry([&] { return driver.Program(0, data); }), Status::kOk);
    ASSERT_EQ(Sync(driver), Status::kOk);
    power_.CutAt(power_.point_count() + 1200, seed);
    for (uint32_t offset = 512; offset < 4096; offset += 512) {
      (void)Retry([&] { return driver.Program(offset, data); });  // power fails in one of them
    }
    (void)Sync(driver);  // or in this
    EXPECT_FALSE(power_.is_on());
    power_.Restore();
    const ByteSpan bytes = part_.array().bytes();
    ASSERT_TRUE(std::equal(data.begin(), data.end(), bytes.begin()));
    const bool has_first = bytes[512 + 7] == 7;
    const bool has_last = bytes[3584 + 7] == 7;
    lost_in_front_count += !has_first && has_last ? 1 : 0;
  }
  EXPECT_GT(lost_in_front_count, 3);
}

/// The card, spoken to command by command: its first answer.
class SdCommandTest : public SdTest {
 protected:
  uint8_t Send(uint8_t index, uint32_t argument, int wrong_bits = 0) {
    std::array<uint8_t, 6> frame;
    frame[0] = static_cast<uint8_t>(0x40 | index);
    StoreBe32(&frame[1], argument);
    frame[5] = storage::ComputeSdCrc7(ByteSpan(frame).first(5));
    frame[5] = static_cast<uint8_t>(frame[5] ^ wrong_bits);
    part_.Select();
    part_.Write(frame);
    uint8_t answer = 0xFF;
    for (int i = 0; i < 10 && answer == 0xFF; ++i) part_.Read(MutableByteSpan(&answer, 1));
    part_.Deselect();
    return answer;
  }
  uint32_t Argument(uint32_t block) const {
    return GetParam()->is_high_capacity ? block : block * 512;
  }
};

TEST_P(SdCommandTest, CardRefusesWhatItShould) {
  EXPECT_EQ(Send(13, 0, 2), 0x08) << "wrong check bits";
  EXPECT_EQ(Send(60, 0), 0x04) << "no such command";
  EXPECT_EQ(Send(16, 1024), 0x40) << "blocks have 512 bytes";
  EXPECT_EQ(Send(17, Argument(GetParam()->size_bytes / 512 - 1)), 0x00);
  EXPECT_EQ(Send(17, GetParam()->is_high_capacity ? GetParam()->size_bytes / 512
                                                  : GetParam()->size_bytes),
            0x40)
      << "outside of the card";
  EXPECT_EQ(Send(38, 0), 0x10) << "erase without a range";
  EXPECT_EQ(Send(33, 0), 0x10) << "an end before a beginning";
}

TEST_P(SdCommandTest, CardErasesTheBlocksChosen) {
  for (uint32_t block = 8; block < 16; ++block) part_.array().FlipBit(block * 512, 0);
  EXPECT_EQ(Send(32, Argument(9)), 0);
  EXPECT_EQ(Send(33, Argument(12)), 0);
  EXPECT_EQ(Send(38, 0), 0);
  for (uint32_t block = 8; block < 16; ++block) {
    EXPECT_EQ(part_.array().bytes()[block * 512], block >= 9 && block <= 12 ? 0 : 1) << block;
  }
}

TEST_P(SdCommandTest, CardInSpiModeOnlyAfterReset) {
  part_.Reset();
  EXPECT_EQ(Send(58, 0), 0xFF) << "it says nothing";
  EXPECT_EQ(Send(0, 0), 0x01);
  EXPECT_EQ(Send(17, 0), 0x05) << "idle, and the command not one for this state";
}

INSTANTIATE_TEST_SUITE_P(Cards, SdCommandTest, testing::Values(&kSdsc64M, &kSdhc2G),
                         [](const auto& info) {
                           return std::string(info.param->is_high_capacity ? "SDHC" : "SDSC");
                         });

INSTANTIATE_TEST_SUITE_P(Cards, SdTest, testing::Values(&kSdsc64M, &kSdhc2G), [](const auto& info) {
  return std::string(info.param->is_high_capacity ? "SDHC" : "SDSC");
});

TEST(SdCard, NoCardIsToldAtOnce) {
  SimulatedClock clock;
  PowerSupply power;
  SdCardPart part(kSdhc2G, clock, power);
  storage::SdCard card(part);
  power.TurnOff();
  EXPECT_EQ(card.Start(), Status::kNotSupported);
}

}  // namespace
}  // namespace ota::simulator
