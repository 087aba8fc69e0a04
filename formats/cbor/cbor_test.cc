// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "crypto/hex_for_test.h"
#include "formats/cbor/cbor_reader.h"
#include "formats/cbor/cbor_writer.h"

namespace ota::formats {
namespace {

Status ReadWhole(const std::vector<uint8_t>& bytes) {
  CborReader reader(bytes);
  const Result<ByteSpan> item = reader.ReadItem();
  return item.ok() ? reader.Finish() : item.status();
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
    CborReader reader(bytes);
    const Result<uint64_t> read = reader.ReadUnsigned();
    ASSERT_TRUE(read.ok()) << number.hex;
    EXPECT_EQ(*read, number.value);
    EXPECT_EQ(reader.Finish(), Status::kOk);
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
                                                          {INT64_MIN, "3b7fffffffffffffff"},
                                                          {INT64_MAX, "1b7fffffffffffffff"}};
  for (const auto& [value, hex] : numbers) {
    const auto bytes = BytesOfHex(hex);
    CborReader reader(bytes);
    const Result<int64_t> read = reader.ReadInteger();
    ASSERT_TRUE(read.ok()) << hex;
    EXPECT_EQ(*read, value);
    std::array<uint8_t, 9> buffer;
    CborWriter writer(buffer);
    writer.WriteInteger(value);
    EXPECT_EQ(HexOf(*writer.Finish()), hex);
  }
}

TEST(CborReader, RefusesNumbersOutOfRange) {
  const auto large = BytesOfHex("1b8000000000000000");
  EXPECT_EQ(CborReader(large).ReadInteger().status(), Status::kCborOutOfRange);
  const auto small = BytesOfHex("3bffffffffffffffff");
  EXPECT_EQ(CborReader(small).ReadInteger().status(), Status::kCborOutOfRange);
  EXPECT_EQ(CborReader(large).ReadUnsigned(10).status(), Status::kCborOutOfRange);
}

TEST(CborReader, TakesTheStandardsWellFormedItems) {
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

TEST(CborReader, RefusesWhatIsNotDeterministic) {
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

TEST(CborReader, RefusesWhatIsNotWellFormed) {
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

TEST(CborReader, RefusesFloatsAndOtherSimpleValues) {
  for (const std::string_view hex :
       {"f90000", "fa47c35000", "fb3ff199999999999a", "f7", "f8ff", "e0"}) {
    EXPECT_EQ(ReadWhole(hex), Status::kCborTypeUnexpected) << hex;
  }
}

TEST(CborReader, RefusesNestingBeyondItsDepth) {
  const auto nest = [](size_t depth) {
    std::vector<uint8_t> bytes(depth, 0x81);
    bytes.push_back(0x00);
    return bytes;
  };
  EXPECT_EQ(ReadWhole(nest(kCborDepthMax)), Status::kOk);
  EXPECT_EQ(ReadWhole(nest(kCborDepthMax + 1)), Status::kCborTooDeep);
  EXPECT_EQ(ReadWhole(nest(100'000)), Status::kCborTooDeep);
}

TEST(CborReader, RefusesTrailingBytes) { EXPECT_EQ(ReadWhole("0000"), Status::kCborTrailingBytes); }

TEST(CborReader, RefusesAnotherTypeAndMovesNothing) {
  const auto bytes = BytesOfHex("6161");
  CborReader reader(bytes);
  EXPECT_EQ(reader.ReadUnsigned().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadInteger().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadBytes().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadBool().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadNull(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadTag().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadArrayHead().status(), Status::kCborTypeUnexpected);
  EXPECT_EQ(reader.ReadText(0).status(), Status::kCborOutOfRange);
  EXPECT_EQ(*reader.ReadText(), "a");
}

TEST(CborMapReader, GivesThePairsInOrderAndRefusesTheRest) {
  const auto bytes = BytesOfHex("a3 01 05 0a 06 20 07");
  CborReader reader(bytes);
  Result<CborMapReader> map = CborMapReader::Open(reader);
  ASSERT_TRUE(map.ok());
  int64_t sum = 0;
  while (map->has_next()) {
    sum += *map->ReadIntegerKey() * 100;
    sum += static_cast<int64_t>(*reader.ReadUnsigned());
  }
  EXPECT_EQ(sum, (1 + 10 - 1) * 100 + 5 + 6 + 7);
  EXPECT_EQ(map->ReadIntegerKey().status(), Status::kWrongState);
}

TEST(CborMapReader, RefusesKeysTwiceOrOutOfOrder) {
  for (const std::string_view hex :
       {"a2 0100 0100", "a2 0200 0100", "a2 2000 0100", "a2 6161 00 01 00"}) {
    const auto bytes = BytesOfHex(hex);
    CborReader reader(bytes);
    Result<CborMapReader> map = CborMapReader::Open(reader);
    ASSERT_TRUE(map.ok());
    const bool is_text = *reader.PeekType() == CborType::kText;
    ASSERT_TRUE(is_text ? map->ReadTextKey().ok() : map->ReadIntegerKey().ok());
    ASSERT_TRUE(reader.ReadUnsigned().ok());
    EXPECT_EQ(map->ReadIntegerKey().status(), Status::kCborNotDeterministic) << hex;
  }
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
  CborReader reader(*bytes);
  ASSERT_EQ(*reader.ReadArrayHead(), 2u);
  CborReader outer_reader(*reader.ReadBytes());
  EXPECT_EQ(reader.ReadNull(), Status::kOk);
  CborReader inner_reader(*outer_reader.ReadBytes());
  EXPECT_EQ(inner_reader.ReadBytes()->size(), 300u);
  EXPECT_EQ(inner_reader.Finish(), Status::kOk);
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
