// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/status.h"
#include "base/units.h"

namespace ota {
namespace {

constexpr std::array kAllCodes = {
#define OTA_STATUS_VALUE(name, number, module, sentence) Status::name,
    OTA_STATUS_LIST(OTA_STATUS_VALUE)
#undef OTA_STATUS_VALUE
};

TEST(Status, NumbersAreUniqueAndEachHasNameModuleAndSentence) {
  std::set<Status> seen;
  for (const Status status : kAllCodes) {
    EXPECT_TRUE(seen.insert(status).second) << StatusName(status);
    EXPECT_FALSE(StatusName(status).starts_with('k'));
    EXPECT_TRUE(StatusSentence(status).ends_with('.')) << StatusName(status);
  }
}

TEST(Status, ModuleIsToldByTheHighByte) {
  std::array<std::string_view, 256> module_of = {};
  for (const Status status : kAllCodes) {
    std::string_view& module = module_of[static_cast<uint16_t>(status) >> 8];
    if (module.empty()) module = StatusModule(status);
    EXPECT_EQ(module, StatusModule(status)) << StatusName(status);
  }
}

TEST(Status, UnknownNumberHasASentenceToo) {
  EXPECT_EQ(StatusName(static_cast<Status>(0xFFFF)), "Unknown");
  EXPECT_FALSE(StatusSentence(static_cast<Status>(0xFFFF)).empty());
}

Result<int> HalfOf(int value) {
  if (value % 2 != 0) return Status::kInvalidArgument;
  return value / 2;
}

Result<int> QuarterOf(int value) {
  OTA_TRY(const int half, HalfOf(value));
  OTA_TRY(HalfOf(half));
  return HalfOf(half);
}

TEST(Try, PassesTheFirstFailureOnAndTheValueThrough) {
  EXPECT_EQ(*QuarterOf(8), 2);
  EXPECT_EQ(QuarterOf(3).status(), Status::kInvalidArgument);
  EXPECT_EQ(QuarterOf(6).status(), Status::kInvalidArgument);
}

TEST(IsInBounds, NeverOverflows) {
  EXPECT_TRUE(IsInBounds(0, 0, 0));
  EXPECT_TRUE(IsInBounds(4, 4, 8));
  EXPECT_FALSE(IsInBounds(5, 4, 8));
  EXPECT_FALSE(IsInBounds(UINT64_MAX, 1, 8));
  EXPECT_FALSE(IsInBounds(1, UINT64_MAX, 8));
  EXPECT_FALSE(IsInBounds(UINT64_MAX, UINT64_MAX, UINT64_MAX));
}

TEST(ByteReader, ReadsBothEndiannessesAndStopsAtTheEnd) {
  const std::array<uint8_t, 7> bytes = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
  ByteReader reader(bytes);
  EXPECT_EQ(*reader.ReadLe16(), 0x0201);
  EXPECT_EQ(*reader.ReadBe32(), 0x03040506u);
  EXPECT_EQ(reader.ReadLe16().status(), Status::kEndOfInput);
  EXPECT_EQ(reader.remaining(), 1u) << "a failed read moves nothing";
  EXPECT_EQ(*reader.ReadU8(), 0x07);
}

TEST(ByteWriter, WritesWhatTheReaderReads) {
  std::array<uint8_t, 15> bytes = {};
  ByteWriter writer(bytes);
  ASSERT_EQ(writer.WriteLe32(0x11223344), Status::kOk);
  ASSERT_EQ(writer.WriteBe16(0x5566), Status::kOk);
  ASSERT_EQ(writer.WriteLe64(0x0102030405060708), Status::kOk);
  EXPECT_EQ(writer.WriteBe16(1), Status::kBufferTooSmall);
  ASSERT_EQ(writer.WriteU8(9), Status::kOk);
  ByteReader reader(writer.written());
  EXPECT_EQ(*reader.ReadLe32(), 0x11223344u);
  EXPECT_EQ(*reader.ReadBe16(), 0x5566);
  EXPECT_EQ(*reader.ReadLe64(), 0x0102030405060708u);
  EXPECT_EQ(*reader.ReadU8(), 9);
}

TEST(MemoryByteSource, RefusesARangeThatLeavesTheBytes) {
  const std::array<uint8_t, 4> bytes = {1, 2, 3, 4};
  MemoryByteSource source(bytes);
  std::array<uint8_t, 2> target = {};
  EXPECT_EQ(source.Read(3, target), Status::kOutOfRange);
  EXPECT_EQ(source.Read(UINT32_MAX, target), Status::kOutOfRange);
  ASSERT_EQ(source.Read(2, target), Status::kOk);
  EXPECT_THAT(target, testing::ElementsAre(3, 4));
}

TEST(Prng, IsTheXorshiftThatGoldenVectorsUse) {
  Prng prng(1);
  EXPECT_EQ(prng.Next(), 0x00042021u);
  EXPECT_EQ(prng.Next(), 0x04080601u);
  EXPECT_EQ(prng.Next(), 0x9dcca8c5u);
}

TEST(RoundUp, GoesToTheNextMultiple) {
  EXPECT_EQ(RoundUp(0, 16), 0u);
  EXPECT_EQ(RoundUp(1, 16), 16u);
  EXPECT_EQ(RoundUp(KiB(1), 16), 1024u);
}

}  // namespace
}  // namespace ota
