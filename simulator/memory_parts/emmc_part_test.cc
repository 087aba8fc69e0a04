// SPDX-License-Identifier: Apache-2.0
#include "simulator/memory_parts/emmc_part.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/units.h"
#include "storage/block_device/emmc.h"
#include "storage/block_device/flash_driver.h"
#include "storage/block_device/sd_crc.h"
#include "storage/file_system/fat/fat_file_system.h"

namespace ota::simulator {
namespace {

using storage::BlockAnswer;
using State = EmmcPart::State;

constexpr uint32_t kSector = 512;
constexpr uint32_t kAddress = 1u << 16;
constexpr uint32_t kIllegal = 1u << 22;
constexpr uint32_t kCheckBits = 1u << 23;

std::vector<uint8_t> Filled(uint8_t value, size_t length = kSector) {
  return std::vector<uint8_t>(length, value);
}

template <typename Function>
Status Retry(Function function) {
  for (;;) {
    const Status status = function();
    if (status != Status::kBusy) return status;
  }
}

/// The part, spoken to command by command.
class EmmcPartTest : public testing::Test {
 protected:
  bool Send(uint8_t index, uint32_t argument, MutableByteSpan response) {
    std::array<uint8_t, 6> frame;
    frame[0] = static_cast<uint8_t>(0x40 | index);
    StoreBe32(&frame[1], argument);
    frame[5] = storage::ComputeSdCrc7(ByteSpan(frame).first(5));
    return part_.Command(frame, response);
  }
  /// The status that the answer holds; all ones: no answer.
  uint32_t Ask(uint8_t index, uint32_t argument) {
    std::array<uint8_t, 6> response{};
    if (!Send(index, argument, response)) return UINT32_MAX;
    const uint8_t expected = storage::ComputeSdCrc7(ByteSpan(response).first(5));
    EXPECT_EQ(response[5], index == 1 ? 0xFF : expected);
    return LoadBe32(&response[1]);
  }
  void BringUp() {
    std::array<uint8_t, 17> identification{};
    EXPECT_TRUE(Send(0, 0, {}));
    while ((Ask(1, 0x40FF8080) & 0x80000000) == 0) {
    }
    EXPECT_TRUE(Send(2, 0, identification));
    Ask(3, kAddress);
    EXPECT_TRUE(Send(9, kAddress, identification));
    Ask(7, kAddress);
    ASSERT_EQ(part_.state(), State::kTransfer);
  }
  BlockAnswer WriteBlock(ByteSpan data) {
    return part_.WriteBlock(data, storage::ComputeLineCheckBits(data, 1));
  }
  void WaitUntilIdle() {
    while (part_.IsBusy()) {
    }
  }

  SimulatedClock clock_;
  PowerSupply power_;
  EmmcPart part_{kEmmc4G, clock_, power_, "", MiB(4)};
};

TEST_F(EmmcPartTest, GoesFromStateToStateAsTheStandardSays) {
  std::array<uint8_t, 17> response{};
  EXPECT_EQ(part_.state(), State::kIdle);
  EXPECT_FALSE(Send(2, 0, response)) << "not before it is powered up";
  EXPECT_EQ(Ask(1, 0x40FF8080) & 0x60000000, 0x40000000u) << "addressed by sectors";
  while ((Ask(1, 0x40FF8080) & 0x80000000) == 0) {
  }
  EXPECT_EQ(part_.state(), State::kReady);
  EXPECT_TRUE(Send(2, 0, response));
  EXPECT_EQ(part_.state(), State::kIdentification);
  EXPECT_EQ(Ask(17, 0), UINT32_MAX) << "no data before it is selected";
  EXPECT_EQ(Ask(3, kAddress) & kIllegal, kIllegal) << "and it says so afterwards";
  EXPECT_EQ(part_.state(), State::kStandby);
  EXPECT_EQ(Ask(13, 2u << 16), UINT32_MAX) << "another address is not meant";
  Ask(7, kAddress);
  EXPECT_EQ(part_.state(), State::kTransfer);
  EXPECT_TRUE(Send(0, 0, {}));
  EXPECT_EQ(part_.state(), State::kIdle);
}

TEST_F(EmmcPartTest, RefusesWrongCheckBits) {
  BringUp();
  std::array<uint8_t, 6> frame = {0x40 | 17, 0, 0, 0, 0, 0x01};
  std::array<uint8_t, 6> response{};
  EXPECT_FALSE(part_.Command(frame, response));
  EXPECT_EQ(Ask(13, kAddress) & kCheckBits, kCheckBits);
  EXPECT_EQ(Ask(13, kAddress) & kCheckBits, 0u) << "told once";
  Ask(24, 3);
  EXPECT_EQ(part_.WriteBlock(Filled(1), {0x1234}), BlockAnswer::kWrongCheckBits);
  EXPECT_EQ(part_.state(), State::kTransfer);
  EXPECT_EQ(part_.array().bytes()[3 * kSector], 0);
}

TEST_F(EmmcPartTest, RefusesAClockThatIsTooFast) {
  part_.SetFrequency(26'000'000);
  EXPECT_EQ(Ask(1, 0x40FF8080), UINT32_MAX) << "identification is at 400 kHz";
  part_.SetFrequency(400'000);
  BringUp();
  part_.SetFrequency(52'000'000);
  EXPECT_EQ(Ask(13, kAddress), UINT32_MAX) << "high speed is not on";
  part_.SetFrequency(26'000'000);
  Ask(6, 0x03B90100);
  WaitUntilIdle();
  part_.SetFrequency(52'000'000);
  EXPECT_NE(Ask(13, kAddress), UINT32_MAX);
}

TEST_F(EmmcPartTest, RefusesWhatLiesOutside) {
  BringUp();
  EXPECT_EQ(Ask(17, MiB(4) / kSector) >> 31, 1u);
  EXPECT_EQ(part_.state(), State::kTransfer);
  EXPECT_EQ(Ask(24, MiB(4) / kSector) >> 31, 1u);
  EXPECT_EQ(Ask(16, 1024) & (1u << 29), 1u << 29) << "blocks have 512 bytes";
  Ask(18, MiB(4) / kSector - 1);
  std::array<uint8_t, kSector> data;
  storage::LineCheckBits crc{};
  EXPECT_TRUE(part_.ReadBlock(data, crc));
  EXPECT_FALSE(part_.ReadBlock(data, crc)) << "beyond the end";
  EXPECT_EQ(Ask(12, 0) >> 31, 1u);
  EXPECT_EQ(part_.state(), State::kTransfer);
}

TEST_F(EmmcPartTest, IsBusyWhileItPrograms) {
  BringUp();
  clock_.set_skips_waits(false);
  Ask(24, 7);
  EXPECT_EQ(WriteBlock(Filled(9)), BlockAnswer::kAccepted);
  EXPECT_TRUE(part_.IsBusy());
  EXPECT_EQ(Ask(24, 8), UINT32_MAX) << "not while it is at work";
  clock_.AdvanceNs(kEmmc4G.program_ns);
  EXPECT_FALSE(part_.IsBusy());
  EXPECT_EQ(Ask(13, kAddress) & 0x1E00, 4u << 9);
  EXPECT_EQ(part_.array().bytes()[7 * kSector], 9);
  EXPECT_GT(part_.array().figures().energy_nj, 0u);
}

TEST_F(EmmcPartTest, TransfersAsManyBlocksAsItWasTold) {
  BringUp();
  Ask(23, 2);
  Ask(25, 4);
  EXPECT_EQ(WriteBlock(Filled(1)), BlockAnswer::kAccepted);
  WaitUntilIdle();
  EXPECT_EQ(part_.state(), State::kReceiving);
  EXPECT_EQ(WriteBlock(Filled(2)), BlockAnswer::kAccepted);
  WaitUntilIdle();
  EXPECT_EQ(part_.state(), State::kTransfer);
  EXPECT_EQ(WriteBlock(Filled(3)), BlockAnswer::kNone);
  Ask(25, 10);
  EXPECT_EQ(WriteBlock(Filled(4)), BlockAnswer::kAccepted);
  WaitUntilIdle();
  EXPECT_EQ(part_.state(), State::kReceiving) << "until it is stopped";
  Ask(12, 0);
  EXPECT_EQ(part_.state(), State::kTransfer);
  EXPECT_EQ(part_.array().bytes()[5 * kSector], 2);
  EXPECT_EQ(part_.array().bytes()[6 * kSector], 0);
}

TEST_F(EmmcPartTest, ErasesWholeGroupsAndTrimsSectors) {
  BringUp();
  for (const uint32_t sector : {0u, 1023u, 1024u, 2047u, 2048u}) {
    Ask(24, sector);
    EXPECT_EQ(WriteBlock(Filled(5)), BlockAnswer::kAccepted);
    WaitUntilIdle();
  }
  const auto byte_of = [&](uint32_t sector) { return part_.array().bytes()[sector * kSector]; };
  Ask(35, 1024);
  Ask(36, 1024);
  Ask(38, 1);
  WaitUntilIdle();
  EXPECT_EQ(byte_of(1024), 0);
  EXPECT_EQ(byte_of(2047), 5);
  Ask(35, 1500);
  Ask(36, 1500);
  Ask(38, 0);
  WaitUntilIdle();
  EXPECT_EQ(byte_of(1023), 5);
  EXPECT_EQ(byte_of(2047), 0);
  EXPECT_EQ(byte_of(2048), 5);
}

TEST_F(EmmcPartTest, RefusesAnEraseOutOfOrder) {
  BringUp();
  constexpr uint32_t kSequence = 1u << 28;
  EXPECT_EQ(Ask(38, 0) & kSequence, kSequence);
  EXPECT_EQ(Ask(36, 0) & kSequence, kSequence);
  Ask(35, 5);
  Ask(36, 4);
  EXPECT_EQ(Ask(38, 0) & kSequence, kSequence) << "it would end before it begins";
}

TEST_F(EmmcPartTest, TellsOfARegisterThatItDoesNotHave) {
  BringUp();
  Ask(6, 0x03FF0100);
  WaitUntilIdle();
  EXPECT_EQ(Ask(13, kAddress) & 0x80, 0x80u);
}

TEST_F(EmmcPartTest, SendsSoundBlocksOnlyOverTheLinesThatBothSidesUse) {
  BringUp();
  Ask(24, 3);
  EXPECT_EQ(WriteBlock(Filled(9)), BlockAnswer::kAccepted);
  WaitUntilIdle();
  const auto is_sound = [&](uint32_t lines) {
    std::array<uint8_t, kSector> data;
    storage::LineCheckBits crc{};
    part_.SetLineCount(lines);
    Ask(17, 3);
    EXPECT_TRUE(part_.ReadBlock(data, crc));
    return data[0] == 9 && crc == storage::ComputeLineCheckBits(data, lines);
  };
  EXPECT_TRUE(is_sound(1));
  EXPECT_FALSE(is_sound(4));
  Ask(6, 0x03B70100);
  WaitUntilIdle();
  EXPECT_FALSE(is_sound(1));
  EXPECT_FALSE(is_sound(8));
  EXPECT_TRUE(is_sound(4));
  part_.SetLineCount(8);
  Ask(24, 3);
  EXPECT_EQ(part_.WriteBlock(Filled(1), storage::ComputeLineCheckBits(Filled(1), 8)),
            BlockAnswer::kWrongCheckBits);
  EXPECT_EQ(part_.array().bytes()[3 * kSector], 9);
  Ask(6, 0x03B70500);
  WaitUntilIdle();
  EXPECT_EQ(Ask(13, kAddress) & 0x80, 0x80u) << "no lines at double rate";
}

TEST_F(EmmcPartTest, RefusesABlockWhoseCheckBitsAreWrongOnOneOfItsLines) {
  BringUp();
  Ask(6, 0x03B70200);
  WaitUntilIdle();
  part_.SetLineCount(8);
  for (uint32_t line = 0; line < 8; ++line) {
    storage::LineCheckBits crc = storage::ComputeLineCheckBits(Filled(5), 8);
    crc[line] ^= 0x0100;
    Ask(24, 3);
    EXPECT_EQ(part_.WriteBlock(Filled(5), crc), BlockAnswer::kWrongCheckBits) << line;
  }
  EXPECT_EQ(part_.array().bytes()[3 * kSector], 0);
}

// --- with its driver

class EmmcTest : public testing::TestWithParam<storage::EmmcWriting> {
 protected:
  void SetUp() override {
    ASSERT_EQ(Retry([&] { return emmc_.Start(); }), Status::kOk);
  }
  Status Sync() {
    return Retry([&] { return driver_.Sync(); });
  }

  SimulatedClock clock_;
  PowerSupply power_;
  EmmcPart part_{kEmmc4G, clock_, power_, "", MiB(4)};
  storage::Emmc emmc_{part_, GetParam()};
  std::array<uint8_t, 2048> queue_;
  storage::FlashDriver driver_{emmc_, queue_};
};

TEST_P(EmmcTest, DriverWritesReadsAndTrims) {
  EXPECT_EQ(driver_.geometry().size_bytes, MiB(4));
  EXPECT_EQ(emmc_.is_cached(), GetParam() == storage::EmmcWriting::kCached);
  std::vector<uint8_t> data(2048);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i % 251);
  const uint32_t offset = MiB(4) - 2048;
  ASSERT_EQ(driver_.Program(offset, data), Status::kOk);
  ASSERT_EQ(Sync(), Status::kOk);
  std::vector<uint8_t> read(2048);
  ASSERT_EQ(driver_.Read(offset, read), Status::kOk);
  EXPECT_EQ(read, data);
  ASSERT_EQ(driver_.Erase(offset + 512, 512), Status::kOk);
  ASSERT_EQ(Sync(), Status::kOk);
  ASSERT_EQ(driver_.Read(offset + 512, MutableByteSpan(read).first(512)), Status::kOk);
  EXPECT_EQ(read[100], 0);
  EXPECT_EQ(part_.array().bytes()[offset + 1024], data[1024]);
}

TEST_P(EmmcTest, WrongCheckBitsAreNoticedAndLeaveNothingBehind) {
  std::vector<uint8_t> read(1024);
  for (const uint32_t count : {1u, 2u, 3u}) {
    part_.CorruptAnswers(count);
    EXPECT_EQ(driver_.Read(0, read), Status::kMediumFailed) << count;
    part_.CorruptAnswers(0);
    EXPECT_EQ(driver_.Read(0, read), Status::kOk) << count;
  }
}

TEST_P(EmmcTest, UnreadableSectorIsToldAndNoOtherOne) {
  part_.array().MarkUnreadable(3);
  std::vector<uint8_t> read(1024);
  EXPECT_EQ(driver_.Read(2 * 512, read), Status::kMediumFailed);
  EXPECT_EQ(driver_.Read(3 * 512, MutableByteSpan(read).first(512)), Status::kMediumFailed);
  EXPECT_EQ(driver_.Read(4 * 512, read), Status::kOk);
}

TEST_P(EmmcTest, FailedWriteIsToldBySyncOnce) {
  part_.array().MarkBad(2);
  ASSERT_EQ(driver_.Program(1024, Filled(1)), Status::kOk);
  EXPECT_EQ(Sync(), Status::kMediumFailed);
  EXPECT_EQ(Sync(), Status::kOk);
}

TEST_P(EmmcTest, DriverTellsThatThePartIsGone) {
  power_.TurnOff();
  EXPECT_EQ(driver_.Program(0, Filled(1)), Status::kMediumFailed);
  storage::Emmc emmc(part_);
  EXPECT_EQ(emmc.Start(), Status::kNotSupported);
}

TEST_P(EmmcTest, CutLosesAtMostWhatWasNotSynced) {
  int torn_count = 0;
  int lost_in_front_count = 0;
  for (uint32_t seed = 1; seed < 60; ++seed) {
    part_.Reset();
    storage::Emmc emmc(part_, GetParam());
    ASSERT_EQ(Retry([&] { return emmc.Start(); }), Status::kOk);
    storage::FlashDriver driver(emmc, queue_);
    ASSERT_EQ(Retry([&] { return driver.Erase(0, 8192); }), Status::kOk);
    ASSERT_EQ(Retry([&] { return driver.Program(0, Filled(7)); }), Status::kOk);
    ASSERT_EQ(Retry([&] { return driver.Sync(); }), Status::kOk);
    power_.CutAt(power_.point_count() + 1200, seed);
    for (uint32_t offset = 512; offset < 4096; offset += 512) {
      (void)Retry([&] { return driver.Program(offset, Filled(7)); });  // power fails in one
    }
    (void)Retry([&] { return driver.Sync(); });  // or in this
    ASSERT_FALSE(power_.is_on());
    power_.Restore();
    const ByteSpan bytes = part_.array().bytes();
    std::vector<bool> is_there;
    for (uint32_t sector = 0; sector < 8; ++sector) {
      const auto first = bytes.begin() + sector * 512;
      const bool is_whole = std::count(first, first + 512, 7) == 512;
      const bool is_old = std::count(first, first + 512, 0) == 512;
      torn_count += !is_whole && !is_old ? 1 : 0;
      is_there.push_back(is_whole);
    }
    ASSERT_TRUE(is_there[0]) << "seed " << seed;
    lost_in_front_count += !is_there[1] && is_there[7] ? 1 : 0;
  }
  const bool is_reliable = GetParam() == storage::EmmcWriting::kReliable;
  EXPECT_EQ(torn_count > 0, !is_reliable) << "a reliable write is never torn";
  EXPECT_EQ(lost_in_front_count > 3, !is_reliable) << "and keeps the order";
}

INSTANTIATE_TEST_SUITE_P(Writing, EmmcTest,
                         testing::Values(storage::EmmcWriting::kCached,
                                         storage::EmmcWriting::kReliable),
                         [](const auto& info) {
                           return info.param == storage::EmmcWriting::kCached ? "Cached"
                                                                              : "Reliable";
                         });

TEST(Emmc, WorksWithoutACache) {
  EmmcTraits traits = kEmmc4G;
  traits.cache_kib = 0;
  SimulatedClock clock;
  PowerSupply power;
  EmmcPart part(traits, clock, power, "", MiB(1));
  storage::Emmc emmc(part);
  ASSERT_EQ(Retry([&] { return emmc.Start(); }), Status::kOk);
  EXPECT_FALSE(emmc.is_cached());
  ASSERT_EQ(emmc.StartProgram(0, Filled(3)), Status::kOk);
  EXPECT_EQ(part.array().bytes()[5], 3) << "it is on the medium at once";
}

TEST_P(EmmcTest, CarriesAFatVolumeOverARestart) {
  const std::vector<uint8_t> model = Filled(7, 5000);
  storage::SpinWaiter waiter;
  std::array<uint8_t, kSector> sector;
  {
    storage::FatFileSystem files(driver_, waiter, sector);
    ASSERT_EQ(files.Format(), Status::kOk);
    Result<storage::File> file = files.Create("kws.tflite", 5000);
    ASSERT_TRUE(file.ok());
    for (size_t at = 0; at < model.size(); at += 1000) {  // at most the driver's queue at once
      ASSERT_EQ(files.Append(*file, ByteSpan(model).subspan(at, 1000)), Status::kOk);
    }
    ASSERT_EQ(files.Sync(*file), Status::kOk);
  }
  part_.Reset();  // what was only in its cache is lost
  storage::Emmc emmc(part_, GetParam());
  ASSERT_EQ(Retry([&] { return emmc.Start(); }), Status::kOk);
  storage::FlashDriver driver(emmc, queue_);
  storage::FatFileSystem files(driver, waiter, sector);
  ASSERT_EQ(files.Mount(), Status::kOk);
  Result<storage::File> file = files.Open("kws.tflite");
  ASSERT_TRUE(file.ok());
  std::vector<uint8_t> read(5000);
  ASSERT_EQ(files.Read(*file, 0, read), Status::kOk);
  EXPECT_EQ(read, model);
}

TEST(Emmc, UsesAsManyLinesAsBoardAndPartHave) {
  struct Case {
    uint32_t board;
    uint32_t part;
    uint32_t used;
  };
  uint64_t single_ns = 0;
  for (const auto& [board, part_lines, used] :
       {Case{1, 8, 1}, Case{4, 8, 4}, Case{8, 8, 8}, Case{8, 4, 4}, Case{8, 1, 1}, Case{4, 1, 1}}) {
    SCOPED_TRACE(std::to_string(board) + " and " + std::to_string(part_lines));
    EmmcTraits traits = kEmmc4G;
    traits.line_count = part_lines;
    SimulatedClock clock;
    PowerSupply power;
    EmmcPart part(traits, clock, power, "", MiB(1));
    part.set_board_line_count(board);
    storage::Emmc emmc(part);
    ASSERT_EQ(Retry([&] { return emmc.Start(); }), Status::kOk);
    EXPECT_EQ(emmc.line_count(), used);
    std::vector<uint8_t> data(kSector);
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7);
    ASSERT_EQ(emmc.StartProgram(kSector, data), Status::kOk);
    ASSERT_EQ(Retry([&] { return emmc.Flush(); }), Status::kOk);
    std::vector<uint8_t> read(64 * kSector);
    const uint64_t start_ns = clock.now_ns();
    ASSERT_EQ(emmc.Read(0, read), Status::kOk);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), read.begin() + kSector));
    const uint64_t read_ns = clock.now_ns() - start_ns - traits.read_ns;
    if (single_ns == 0) single_ns = read_ns;
    EXPECT_NEAR(static_cast<double>(read_ns), static_cast<double>(single_ns) / used,
                static_cast<double>(single_ns) / 15);
  }
}

TEST(CardCells, WearOfRandomWritesIsThatOfWholeGroups) {
  PowerSupply power;
  CardCells cells({.size_bytes = MiB(4), .group_bytes = KiB(256), .group_endurance = 10}, power);
  for (uint32_t sector = 0; sector < 512; ++sector) {
    ASSERT_EQ(cells.Write(sector, Filled(1)), Status::kOk);
  }
  ASSERT_EQ(cells.Flush(), Status::kOk);
  EXPECT_EQ(cells.group_erase_count(), 1u) << "in a row";
  for (uint32_t i = 0; i < 16 * 10; ++i) {
    ASSERT_EQ(cells.Write(i % 2 == 0 ? 5000 : 7, Filled(1)), Status::kOk);
    ASSERT_EQ(cells.Flush(), Status::kOk) << i;
  }
  EXPECT_EQ(cells.group_wear(), 10u);
  for (uint32_t i = 0; i < 16; ++i) {
    (void)cells.Write(i % 2 == 0 ? 5000 : 7, Filled(2));  // what fails is told by Flush
    (void)cells.Flush();                                  // only the end counts
  }
  EXPECT_TRUE(cells.is_worn_out());
  ASSERT_EQ(cells.Write(9, Filled(2)), Status::kOk);
  EXPECT_EQ(cells.Flush(), Status::kMediumFailed) << "at the end of its life";
  std::array<uint8_t, kSector> data;
  EXPECT_EQ(cells.Read(7, data), Status::kOk) << "it can still be read";
}

TEST(CardCells, ReadsWhatIsCached) {
  PowerSupply power;
  CardCells cells({.size_bytes = MiB(1)}, power);
  ASSERT_EQ(cells.Write(3, Filled(1)), Status::kOk);
  ASSERT_EQ(cells.Write(3, Filled(2)), Status::kOk);
  std::array<uint8_t, kSector> data;
  ASSERT_EQ(cells.Read(3, data), Status::kOk);
  EXPECT_EQ(data[0], 2);
  cells.DropCache();
  ASSERT_EQ(cells.Read(3, data), Status::kOk);
  EXPECT_EQ(data[0], 0);
  EXPECT_EQ(cells.Write(MiB(1) / kSector, Filled(1)), Status::kOutOfRange);
}

}  // namespace
}  // namespace ota::simulator
