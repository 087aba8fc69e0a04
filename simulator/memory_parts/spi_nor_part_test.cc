// SPDX-License-Identifier: Apache-2.0
// What a serial NOR flash refuses of suspended work and of reads on four lines.
#include "simulator/memory_parts/spi_nor_part.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/units.h"

namespace ota::simulator {
namespace {

constexpr uint64_t kSuspendNs = 20'000;

class SpiNorPartTest : public testing::Test {
 protected:
  void SetUp() override { clock_.set_skips_waits(false); }

  void Send(std::vector<uint8_t> bytes) {
    part_.Select();
    part_.Write(bytes);
    part_.Deselect();
  }
  std::vector<uint8_t> Ask(std::vector<uint8_t> bytes, size_t count, uint32_t lines = 1) {
    std::vector<uint8_t> answer(count);
    part_.Select();
    part_.Write(bytes);
    part_.SetReadLines(lines);
    part_.Read(answer);
    part_.Deselect();
    return answer;
  }
  void Erase(uint8_t sector, uint8_t command = 0x20) {
    Send({0x06});
    Send({command, 0, static_cast<uint8_t>(sector << 4), 0});
  }
  void Program(uint8_t page, uint8_t value) {
    Send({0x06});
    Send({0x02, 0, page, 0, value});
  }
  void Suspend() {
    Send({0x75});
    clock_.AdvanceNs(kSuspendNs);
  }
  void EnableQuad() {
    Send({0x06});
    Send({0x31, 0x02});
    clock_.AdvanceNs(kW25Q16.write_status_ns);
  }
  bool is_busy() { return (Ask({0x05}, 1)[0] & 1) != 0; }
  bool is_suspended() { return (Ask({0x35}, 1)[0] & 0x80) != 0; }
  uint8_t ReadAt(uint8_t page) { return Ask({0x03, 0, page, 0}, 1)[0]; }
  uint8_t cell(uint32_t page) { return part_.nor().bytes()[page * 256]; }

  SimulatedClock clock_;
  PowerSupply power_;
  SpiNorPart part_{kW25Q16, clock_, power_};
};

TEST_F(SpiNorPartTest, SuspendsAnEraseAndFinishesItAfterTheResume) {
  Program(0x10, 7);
  clock_.AdvanceNs(kW25Q16.program_ns);
  Erase(0);
  clock_.AdvanceNs(kW25Q16.erase_ns / 2);
  Send({0x75});
  EXPECT_TRUE(is_busy()) << "it takes its 20 µs";
  clock_.AdvanceNs(kSuspendNs);
  EXPECT_FALSE(is_busy());
  EXPECT_TRUE(is_suspended());
  EXPECT_EQ(ReadAt(0x10), 7);
  clock_.AdvanceNs(kW25Q16.erase_ns);
  Send({0x7A});
  EXPECT_FALSE(is_suspended());
  clock_.AdvanceNs(kW25Q16.erase_ns / 2 - 10'000);
  EXPECT_TRUE(is_busy()) << "the half that was left";
  clock_.AdvanceNs(10'000);
  EXPECT_FALSE(is_busy());
  EXPECT_EQ(part_.violation_count(), 0u);
}

TEST_F(SpiNorPartTest, GivesAnythingOfTheSectorThatIsSuspended) {
  Erase(1);
  Suspend();
  EXPECT_NE(ReadAt(0x1F), cell(0x1F));
  EXPECT_EQ(part_.violation_count(), 1u);
  EXPECT_EQ(ReadAt(0x20), 0xFF);
  EXPECT_EQ(ReadAt(0x0F), 0xFF);
  EXPECT_EQ(part_.violation_count(), 1u);
}

TEST_F(SpiNorPartTest, ProgramsOtherSectorsOnlyWhileAnEraseIsSuspended) {
  Erase(1);
  Suspend();
  Program(0x1F, 5);
  EXPECT_EQ(cell(0x1F), 0xFF);
  EXPECT_EQ(part_.violation_count(), 1u);
  Program(0x20, 5);
  EXPECT_EQ(cell(0x20), 5);
  EXPECT_EQ(part_.violation_count(), 1u);
  Send({0x75});
  EXPECT_EQ(part_.violation_count(), 2u) << "nothing can be suspended beside what is";
}

TEST_F(SpiNorPartTest, ErasesNothingWhileSomethingIsSuspended) {
  Program(0x20, 5);
  clock_.AdvanceNs(kW25Q16.program_ns);
  Erase(1);
  Suspend();
  for (const int command : {0x20, 0x52, 0xD8, 0xC7}) Erase(2, static_cast<uint8_t>(command));
  EXPECT_EQ(cell(0x20), 5);
  EXPECT_EQ(part_.violation_count(), 4u);
  Send({0x06});
  Send({0x31, 0x02});
  EXPECT_EQ(part_.violation_count(), 5u) << "nor is the status register written";
}

TEST_F(SpiNorPartTest, ProgramsNothingWhileAProgramIsSuspended) {
  Program(0x20, 5);
  clock_.AdvanceNs(kW25Q16.program_ns / 2);
  Suspend();
  EXPECT_NE(ReadAt(0x20), 5);
  EXPECT_EQ(part_.violation_count(), 1u);
  Program(0x21, 5);
  EXPECT_EQ(cell(0x21), 0xFF);
  EXPECT_EQ(part_.violation_count(), 2u);
  EXPECT_EQ(ReadAt(0x21), 0xFF);
  Send({0x7A});
  clock_.AdvanceNs(kW25Q16.program_ns);
  EXPECT_EQ(ReadAt(0x20), 5);
  EXPECT_EQ(part_.violation_count(), 2u);
}

TEST_F(SpiNorPartTest, DoesNotSuspendTheEraseOfTheChipNorAWriteOfItsStatus) {
  Erase(0, 0xC7);
  Suspend();
  EXPECT_TRUE(is_busy());
  EXPECT_FALSE(is_suspended());
  EXPECT_EQ(part_.violation_count(), 1u);
  clock_.AdvanceNs(100 * kW25Q16.megabyte_erase_ns);
  Send({0x06});
  Send({0x31, 0x02});
  Suspend();
  EXPECT_FALSE(is_suspended());
  EXPECT_EQ(part_.violation_count(), 2u);
}

TEST_F(SpiNorPartTest, WantsAWhileBetweenAResumeAndTheNextSuspend) {
  Erase(0);
  Suspend();
  Send({0x7A});
  Send({0x75});
  EXPECT_FALSE(is_suspended());
  EXPECT_EQ(part_.violation_count(), 1u);
  clock_.AdvanceNs(kSuspendNs);
  Suspend();
  EXPECT_TRUE(is_suspended());
  EXPECT_EQ(part_.violation_count(), 1u);
}

TEST_F(SpiNorPartTest, HearsASuspendAndAResumeOfNothingWithoutHarm) {
  Suspend();
  EXPECT_FALSE(is_suspended());
  Send({0x7A});
  EXPECT_FALSE(is_busy());
  EXPECT_EQ(part_.violation_count(), 0u);
}

TEST_F(SpiNorPartTest, LeavesSuspendedWorkHalfDoneWhenPowerFails) {
  Erase(1);
  Suspend();
  power_.TurnOff();
  power_.Restore();
  part_.Reset();
  EXPECT_FALSE(is_suspended());
  EXPECT_FALSE(is_busy());
  uint32_t spoilt = 0;
  for (uint32_t page = 0x10; page < 0x20; ++page) spoilt += cell(page) != 0xFF ? 1 : 0;
  EXPECT_TRUE(spoilt != 0 || part_.nor().has_unstable_bits());
  Program(0x10, 5);
  EXPECT_NE(part_.violation_count(), 0u) << "it must be erased again";
  EXPECT_EQ(cell(0x20), 0xFF);
  EXPECT_EQ(cell(0x0F), 0xFF);
}

TEST_F(SpiNorPartTest, LeavesASuspendedProgramUnstableWhenPowerFails) {
  Program(0x10, 0);
  Suspend();
  power_.TurnOff();
  power_.Restore();
  part_.Reset();
  EXPECT_TRUE(part_.nor().has_unstable_bits());
}

TEST_F(SpiNorPartTest, GivesNothingOnFourLinesBeforeTheyAreEnabled) {
  Program(0, 5);
  clock_.AdvanceNs(kW25Q16.program_ns);
  EXPECT_EQ(Ask({0x6B, 0, 0, 0, 0}, 1, 4)[0], 0xFF);
  EXPECT_EQ(part_.violation_count(), 1u);
  EnableQuad();
  EXPECT_EQ(Ask({0x6B, 0, 0, 0, 0}, 1, 4)[0], 5);
  EXPECT_EQ(part_.violation_count(), 1u);
}

TEST_F(SpiNorPartTest, EnablesFourLinesOnlyWithWriteEnableAndKeepsThemOverALossOfPower) {
  Send({0x31, 0x02});
  EXPECT_EQ(Ask({0x35}, 1)[0], 0);
  EXPECT_EQ(part_.violation_count(), 1u);
  EnableQuad();
  EXPECT_EQ(Ask({0x35}, 1)[0], 0x02);
  power_.TurnOff();
  power_.Restore();
  part_.Reset();
  EXPECT_EQ(Ask({0x35}, 1)[0], 0x02);
}

TEST_F(SpiNorPartTest, MixesUpBytesThatAreTakenInOnTheWrongLines) {
  EnableQuad();
  EXPECT_NE(Ask({0x6B, 0, 0, 0, 0}, 1, 1)[0], 0xFF);
  EXPECT_NE(Ask({0x03, 0, 0, 0}, 1, 4)[0], 0xFF);
  EXPECT_EQ(part_.violation_count(), 2u);
}

TEST_F(SpiNorPartTest, TakesAQuarterOfTheTimeOnFourLines) {
  EnableQuad();
  const uint64_t start_ns = clock_.now_ns();
  (void)Ask({0x03, 0, 0, 0}, 4096);  // for its time
  const uint64_t single_ns = clock_.now_ns() - start_ns;
  (void)Ask({0x6B, 0, 0, 0, 0}, 4096, 4);  // the same
  EXPECT_NEAR(static_cast<double>(clock_.now_ns() - start_ns - single_ns),
              static_cast<double>(single_ns) / 4, 2000);
}

}  // namespace
}  // namespace ota::simulator
