// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_fields.h"

#include <gtest/gtest.h>

#include "crypto/hex_for_test.h"

namespace ota::formats {
namespace {

struct Thing {
  uint32_t number = 0;
  uint8_t small = 0;
  uint8_t count = 0;
  std::array<uint64_t, 2> list = {};
  ByteSpan items;
  ByteSpan bytes;
  std::optional<uint32_t> maybe;
};

constexpr auto kTable = CborTable<
    CborStatuses(Status::kManifestPartUnknown, Status::kManifestMalformed),
    CborMap(Status::kManifestIncomplete, 2), CborKey(1), CborNumber(OTA_CBOR_PLACE(Thing, number)),
    CborKey(-1), CborNumber(OTA_CBOR_PLACE(Thing, small), 5), CborKey(2),
    CborListOf(OTA_CBOR_PLACE(Thing, count), 2), CborElements(OTA_CBOR_PLACE(Thing, list)),
    CborNumber(CborPlace<uint64_t>{}), kCborEnd, CborKey(3), kCborNotZero,
    CborItemsOf(OTA_CBOR_PLACE(Thing, items), 3), CborBytesOf({}, 2), kCborEnd, CborKey(4),
    kCborWrapped, CborArray(2), CborEqual(-16), CborLeast(2),
    CborBytes(OTA_CBOR_PLACE(Thing, bytes), 8), kCborEnd, CborKey(kCborPrivateKey),
    CborStatuses(Status::kNotSupported), CborNumber(OTA_CBOR_PLACE(Thing, maybe)), CborSpecial(7),
    CborKey(6), CborArray(1, 2), CborNumber(OTA_CBOR_PLACE(Thing, number)), kCborIfLonger,
    CborNumber(OTA_CBOR_PLACE(Thing, small), 5), kCborEnd, kCborEnd>();

bool ReadSpecial(CborFieldReader&, uint32_t number, void* target) {
  return number == 7 && static_cast<Thing*>(target)->maybe == 9;
}

Status Decode(std::string_view hex, Thing& thing) {
  const std::vector<uint8_t> bytes = BytesOfHex(hex);
  thing = {};
  return DecodeFields(bytes, &thing, kTable.data(), ReadSpecial);
}

Status Decode(std::string_view hex) {
  Thing thing;
  return Decode(hex, thing);
}

TEST(CborFields, FillTheMembersThatTheTableNames) {
  Thing thing;
  ASSERT_EQ(
      Decode("a6 01 19ffff 02 82 07 08 03 81 421234 04 46 82 2f 43 010203 20 05 390100 09", thing),
      Status::kOk);
  EXPECT_EQ(thing.number, 0xFFFFu);
  EXPECT_EQ(thing.small, 5);
  EXPECT_EQ(thing.count, 2);
  EXPECT_EQ(thing.list[1], 8u);
  EXPECT_EQ(thing.items.size(), 4u);
  EXPECT_EQ(thing.bytes.size(), 3u);
  EXPECT_EQ(thing.maybe, 9u);
}

TEST(CborFields, TakeAMapWithoutItsOptionalMembers) {
  EXPECT_EQ(Decode("a2 01 00 20 00"), Status::kOk);
}

TEST(CborFields, TellWhatIsWrongByTheStatusesOfTheTable) {
  EXPECT_EQ(Decode("a1 01 00"), Status::kManifestIncomplete);
  EXPECT_EQ(Decode("a1 20 00"), Status::kManifestIncomplete);
  EXPECT_EQ(Decode("a3 01 00 05 00 20 00"), Status::kManifestPartUnknown);    // key 5
  EXPECT_EQ(Decode("a3 01 00 20 00 387f 00"), Status::kManifestPartUnknown);  // key -128
  EXPECT_EQ(Decode("a2 01 00 20 06"), Status::kManifestPartUnknown);          // above the last
  EXPECT_EQ(Decode("a2 01 1b0000000100000000 20 00"), Status::kCborOutOfRange);
  EXPECT_EQ(Decode("a3 01 00 02 83 01 02 03 20 00"), Status::kManifestPartUnknown);
  EXPECT_EQ(Decode("a3 01 00 03 80 20 00"), Status::kManifestMalformed);  // no items
  EXPECT_EQ(Decode("a3 01 00 03 81 4112 20 00"), Status::kManifestMalformed);
  EXPECT_EQ(Decode("a3 01 00 04 45 82 30 42 0102 20 00"), Status::kManifestPartUnknown);
  EXPECT_EQ(Decode("a3 01 00 04 44 82 2f 41 01 20 00"), Status::kManifestMalformed);
  EXPECT_EQ(Decode("a3 01 00 04 46 82 2f 42 0102 00 20 00"), Status::kCborTrailingBytes);
  EXPECT_EQ(Decode("a3 01 00 04 4c 82 2f 49 010203040506070809 20 00"), Status::kCborOutOfRange);
  EXPECT_EQ(Decode("a3 01 00 20 00 390100 08"), Status::kNotSupported);  // by the special
  EXPECT_EQ(Decode("a2 01 00 01 00"), Status::kCborNotDeterministic);
  EXPECT_EQ(Decode("a2 01 00 20 00 00"), Status::kCborTrailingBytes);
}

TEST(CborFields, RefuseEveryPrefix) {
  const std::vector<uint8_t> whole =
      BytesOfHex("a6 01 19ffff 02 82 07 08 03 81 421234 04 46 82 2f 43 010203 20 05 390100 09");
  Thing thing;
  for (size_t length = 0; length < whole.size(); ++length) {
    const ByteSpan prefix = ByteSpan(whole).first(length);
    EXPECT_NE(DecodeFields(prefix, &thing, kTable.data(), ReadSpecial), Status::kOk) << length;
  }
}

}  // namespace
}  // namespace ota::formats
