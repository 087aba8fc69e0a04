// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "crypto/hex_for_test.h"
#include "formats/cbor/cbor_cursor.h"
#include "formats/cbor/cbor_writer.h"

namespace ota::formats {
namespace {

Status ReadWhole(const std::vector<uint8_t>& bytes) {
  CborCursor cursor(bytes);
  cursor.SkipItem();
  return cursor.Finish();
}

Status ReadWhole(std::string_view hex) { return ReadWhole(BytesOfHex(hex)); }

struct Number {
  uint64_t value;
  std::string_view hex;
};

// RFC 8949, appendix A.
constexpr Number kUnsigned[] = {{0, "00"},
                                {1, "01"},
                                {10, "0a"},
                                {23, "17"},
                                {24, "1818"},
                                {100, "1864"},
                                {255, "18ff"},
                                {256, "190100"},
                                {1000, "1903e8"},
                                {65535, "19ffff"},
                                {65536, "1a00010000"},
                                {4294967295, "1affffffff"},
                                {4294967296, "1b0000000100000000"},
                                {1000000000000, "1b000000e8d4a51000"},
                                {UINT64_MAX, "1bffffffffffffffff"}};

TEST(Cbor, UnsignedNumbersAreTheOnesOfTheStandardBothWays) {
  for (const Number& number : kUnsigned) {
    const auto bytes = BytesOfHex(number.hex);
    CborCursor cursor(bytes);
    EXPECT_EQ(cursor.ReadUnsigned(), number.value);
    EXPECT_EQ(cursor.Finish(), Status::kOk) << number.hex;
    std::array<uint8_t, 9> buffer;
    CborWriter writer(buffer);
    writer.WriteUnsigned(number.value);
    EXPECT_EQ(HexOf(*writer.Finish()), number.hex);
  }
}

TEST(Cbor, IntegersAreTheOnesOfTheStandardBothWays) {
  const std::pair<int64_t, std::string_view> numbers[] = {{-1, "20"},
                                                          {-24, "37"},
                                                          {-25, "3818"},
                                                          {-100, "3863"},
                                                          {-256, "38ff"},
                                                          {-257, "390100"},
                                                          {-1000, "3903e7"},
                                                          {5, "05"},
                                                          {-65534, "39fffd"},
                                                          {INT32_MIN, "3a7fffffff"},
                                                          {INT32_MAX, "1a7fffffff"}};
  for (const auto& [value, hex] : numbers) {
    const auto bytes = BytesOfHex(hex);
    CborCursor cursor(bytes);
    EXPECT_EQ(cursor.ReadInteger(), value);
    EXPECT_EQ(cursor.Finish(), Status::kOk) << hex;
    std::array<uint8_t, 9> buffer;
    CborWriter writer(buffer);
    writer.WriteInteger(value);
    EXPECT_EQ(HexOf(*writer.Finish()), hex);
  }
}

// What one call says of these bytes.
template <typename Read>
Status StatusOf(std::string_view hex, Read read) {
  const auto bytes = BytesOfHex(hex);
  CborCursor cursor(bytes);
  read(cursor);
  return cursor.status();
}

TEST(CborCursor, RefusesNumbersOutOfRange) {
  const auto read_integer = [](CborCursor& c) { EXPECT_EQ(c.ReadInteger(), 0); };
  EXPECT_EQ(StatusOf("1a80000000", read_integer), Status::kCborOutOfRange);
  EXPECT_EQ(StatusOf("3a80000000", read_integer), Status::kCborOutOfRange);
  EXPECT_EQ(StatusOf("3bffffffffffffffff", read_integer), Status::kCborOutOfRange);
  const auto read_small = [](CborCursor& c) { EXPECT_EQ(c.ReadNumber(10), 0u); };
  EXPECT_EQ(StatusOf("0b", read_small), Status::kCborOutOfRange);
  EXPECT_EQ(StatusOf("1b0000000100000000", read_small), Status::kCborOutOfRange);
}

TEST(CborCursor, TakesTheStandardsWellFormedItems) {
  for (const std::string_view hex : {"40",
                                     "4401020304",
                                     "60",
                                     "6161",
                                     "6449455446",
                                     "62c3bc",
                                     "63e6b0b4",
                                     "64f0908591",
                                     "80",
                                     "83010203",
                                     "8301820203820405",
                                     "a0",
                                     "a201020304",
                                     "a26161016162820203",
                                     "f4",
                                     "f5",
                                     "f6",
                                     "c11a514b67b0",
                                     "d818456449455446",
                                     "a40102030405200621",
                                     "a1800a",
                                     "a28001810002"}) {
    EXPECT_EQ(ReadWhole(hex), Status::kOk) << hex;
  }
}

TEST(CborCursor, RefusesWhatIsNotDeterministic) {
  for (const std::string_view hex : {"1817",
                                     "1900ff",
                                     "1a0000ffff",
                                     "1b00000000ffffffff",
                                     "3817",
                                     "5803010203",
                                     "7801 61",
                                     "9801 00",
                                     "b801 0000",
                                     "d801 00",
                                     "5f4101ff",
                                     "7f6161ff",
                                     "9f00ff",
                                     "bf0000ff",
                                     "ff",
                                     "a202000100",
                                     "a201000100",
                                     "a2616201616101",
                                     "a1 01 a2 0200 0100",
                                     "82 a2 2000 0000 00",
                                     "a2 8101 00 80 00",
                                     "a2 80 00 80 00"}) {
    EXPECT_EQ(ReadWhole(hex), Status::kCborNotDeterministic) << hex;
  }
}

TEST(CborCursor, RefusesWhatIsNotWellFormed) {
  for (const std::string_view hex : {"",
                                     "18",
                                     "19ff",
                                     "1a000000",
                                     "1b00000000000000",
                                     "41",
                                     "5affffffff00",
                                     "5bffffffffffffffff",
                                     "61",
                                     "61ff",
                                     "62c080",
                                     "63eda080",
                                     "64f4908080",
                                     "62c3",
                                     "81",
                                     "9affffffff",
                                     "a1",
                                     "a101",
                                     "bbffffffffffffffff",
                                     "1c",
                                     "3d",
                                     "5e",
                                     "9c",
                                     "dc",
                                     "c1",
                                     "64f0828282"}) {
    EXPECT_EQ(ReadWhole(hex), Status::kCborMalformed) << hex;
  }
}

TEST(CborCursor, RefusesFloatsAndOtherSimpleValues) {
  for (const std::string_view hex :
       {"f90000", "fa47c35000", "fb3ff199999999999a", "f7", "f8ff", "e0"}) {
    EXPECT_EQ(ReadWhole(hex), Status::kCborTypeUnexpected) << hex;
  }
}

TEST(CborCursor, RefusesNestingBeyondItsDepth) {
  const auto nest = [](size_t depth) {
    std::vector<uint8_t> bytes(depth, 0x81);
    bytes.push_back(0x00);
    return bytes;
  };
  EXPECT_EQ(ReadWhole(nest(kCborDepthMax)), Status::kOk);
  EXPECT_EQ(ReadWhole(nest(kCborDepthMax + 1)), Status::kCborTooDeep);
  EXPECT_EQ(ReadWhole(nest(100'000)), Status::kCborTooDeep);
}

TEST(CborCursor, RefusesTrailingBytes) { EXPECT_EQ(ReadWhole("0000"), Status::kCborTrailingBytes); }

TEST(CborCursor, RefusesAnotherTypeThanTheOneAskedFor) {
  ByteSpan bytes;
  std::string_view text;
  const std::function<void(CborCursor&)> reads[] = {
      [](CborCursor& c) { EXPECT_EQ(c.ReadUnsigned(), 0u); },
      [](CborCursor& c) { EXPECT_EQ(c.ReadInteger(), 0); },
      [&](CborCursor& c) { c.ReadBytes(bytes); },
      [](CborCursor& c) { EXPECT_FALSE(c.ReadBool()); },
      [](CborCursor& c) { c.ReadNull(); },
      [](CborCursor& c) { EXPECT_EQ(c.ReadTag(), 0u); },
      [](CborCursor& c) { EXPECT_EQ(c.ReadArrayHead(), 0u); },
      [](CborCursor& c) { EXPECT_EQ(c.BeginMap().pairs_left, 0u); }};
  for (const auto& read : reads) EXPECT_EQ(StatusOf("6161", read), Status::kCborTypeUnexpected);
  EXPECT_EQ(StatusOf("6161", [&](CborCursor& c) { c.ReadText(text, 0); }), Status::kCborOutOfRange);
  EXPECT_EQ(StatusOf("6161", [&](CborCursor& c) { c.ReadText(text); }), Status::kOk);
  EXPECT_EQ(StatusOf("4161", [&](CborCursor& c) { c.ReadText(text); }),
            Status::kCborTypeUnexpected);
}

TEST(CborCursor, GivesNothingAfterTheFirstThingWrongAndRemembersIt) {
  const auto bytes = BytesOfHex("83 18ff 19 0001 41aa");
  CborCursor cursor(bytes);
  EXPECT_EQ(cursor.ReadArrayHead(), 3u);
  EXPECT_EQ(cursor.ReadNumber(), 255u);
  EXPECT_EQ(cursor.ReadNumber(), 0u);
  EXPECT_EQ(cursor.status(), Status::kCborNotDeterministic);
  ByteSpan span(bytes);
  cursor.ReadBytes(span);
  EXPECT_TRUE(span.empty());
  EXPECT_FALSE(cursor.IsNext(CborType::kBytes));
  cursor.Fail(Status::kManifestMalformed);
  EXPECT_EQ(cursor.Finish(), Status::kCborNotDeterministic);
}

TEST(CborCursor, GivesThePairsOfAMapInOrder) {
  const auto bytes = BytesOfHex("a3 01 05 0a 06 20 07");
  CborCursor cursor(bytes);
  CborCursor::Map map = cursor.BeginMap();
  int32_t keys = 0;
  uint32_t values = 0;
  for (int32_t key; cursor.NextKey(map, key);) {
    keys += key;
    values += cursor.ReadNumber();
  }
  EXPECT_EQ(cursor.Finish(), Status::kOk);
  EXPECT_EQ(keys, 1 + 10 - 1);
  EXPECT_EQ(values, 5u + 6 + 7);
}

TEST(CborCursor, RefusesKeysTwiceOrOutOfOrder) {
  for (const std::string_view hex :
       {"a2 0100 0100", "a2 0200 0100", "a2 2000 0100", "a2 0000 0000", "a2 2100 2000"}) {
    const auto bytes = BytesOfHex(hex);
    CborCursor cursor(bytes);
    CborCursor::Map map = cursor.BeginMap();
    for (int32_t key; cursor.NextKey(map, key);) (void)cursor.ReadNumber();  // all are 0
    EXPECT_EQ(cursor.Finish(), Status::kCborNotDeterministic) << hex;
  }
}

TEST(CborCursor, EndsWithTheByteStringThatItHasEntered) {
  const auto enter = [](std::string_view hex) {
    return StatusOf(hex, [](CborCursor& c) {
      const uint8_t* const end = c.Enter();
      (void)c.ReadNumber();  // the status is what counts
      c.Leave(end);
      (void)c.ReadNumber();  // as above
    });
  };
  EXPECT_EQ(enter("4105 06"), Status::kOk);
  EXPECT_EQ(enter("420506 07"), Status::kCborTrailingBytes);
  EXPECT_EQ(enter("4118 18"), Status::kCborMalformed);
  EXPECT_EQ(enter("40 06"), Status::kCborMalformed);
  EXPECT_EQ(enter("05 06"), Status::kCborTypeUnexpected);
}

TEST(CborWriter, WrapsWhatWasWrittenIntoByteStrings) {
  std::array<uint8_t, 600> buffer;
  CborWriter writer(buffer);
  writer.WriteArrayHead(2);
  const size_t outer = writer.BeginWrapped();
  const size_t inner = writer.BeginWrapped();
  writer.WriteBytes(std::vector<uint8_t>(300, 7));
  writer.EndWrapped(inner);
  writer.EndWrapped(outer);
  writer.WriteNull();
  const Result<ByteSpan> bytes = writer.Finish();
  ASSERT_TRUE(bytes.ok());
  CborCursor cursor(*bytes);
  ASSERT_EQ(cursor.ReadArrayHead(), 2u);
  const uint8_t* const outer_end = cursor.Enter();
  const uint8_t* const inner_end = cursor.Enter();
  ByteSpan content;
  cursor.ReadBytes(content);
  EXPECT_EQ(content.size(), 300u);
  cursor.Leave(inner_end);
  cursor.Leave(outer_end);
  cursor.ReadNull();
  EXPECT_EQ(cursor.Finish(), Status::kOk);
}

TEST(CborWriter, SaysHowManyBytesItNeedsWhenTheyDoNotFit) {
  const auto write = [](CborWriter& writer) {
    writer.WriteMapHead(1);
    writer.WriteUnsigned(1000);
    const size_t wrapped = writer.BeginWrapped();
    writer.WriteText("twelve bytes");
    writer.EndWrapped(wrapped);
  };
  CborWriter counting{MutableByteSpan()};
  write(counting);
  EXPECT_EQ(counting.Finish().status(), Status::kBufferTooSmall);
  std::vector<uint8_t> exact(counting.size_needed_bytes());
  for (size_t size = 0; size < exact.size(); ++size) {
    CborWriter writer(MutableByteSpan(exact).first(size));
    write(writer);
    EXPECT_EQ(writer.Finish().status(), Status::kBufferTooSmall);
  }
  CborWriter writer(exact);
  write(writer);
  EXPECT_EQ(HexOf(*writer.Finish()), "a11903e84d6c7477656c7665206279746573");
}

}  // namespace
}  // namespace ota::formats
