// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/flexbuffer_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace ota::formats {
namespace {

// {"a": -3, "bc": 300}, made by hand: keys, then the vector of keys, then the map, then the root.
const std::vector<uint8_t> kMap = {
    'a',        0,          'b',  'c',  0,  // 0: the keys' letters
    2,          6,          5,              // 5: count 2; at 6: 6 - 6 = 0; at 7: 7 - 5 = 2
    0,                                      // 8: fills up to a multiple of 2
    0,                                      // 9
    4,          0,                          // 10: the keys' vector is at 10 - 4 = 6
    1,          0,                          // 12: its elements are 1 byte wide
    2,          0,                          // 14: count 2
    0xFD,       0xFF,       0x2C, 0x01,     // 16: -3, 300
    1 << 2 | 1, 2 << 2 | 1,                 // 20: a signed and an unsigned number
    6,                                      // 22: the root, 22 - 6 = 16
    9 << 2 | 1, 1,                          // 23: a map of 2-byte values; the root is 1 byte wide
};

struct Parsed {
  explicit Parsed(ByteSpan bytes)
      : source(bytes), reader(source), map(reader, {0, static_cast<uint32_t>(bytes.size())}) {}
  MemoryByteSource source;
  FlatbufferReader reader;
  FlexMapReader map;
};

TEST(FlexMapReader, FindsNumbersByName) {
  Parsed parsed(kMap);
  ASSERT_EQ(parsed.map.Open(), Status::kOk);
  EXPECT_EQ(*parsed.map.FindInteger("a"), -3);
  EXPECT_EQ(*parsed.map.FindInteger("bc"), 300);
  EXPECT_EQ(parsed.map.FindInteger("b").status(), Status::kModelMalformed);
  EXPECT_EQ(parsed.map.FindInteger("").status(), Status::kModelMalformed);
}

TEST(FlexMapReader, SurvivesEveryByteChangedAndEveryTruncation) {
  for (size_t at = 0; at < kMap.size(); ++at) {
    for (const uint8_t value : std::initializer_list<uint8_t>{0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::vector<uint8_t> bytes = kMap;
      bytes[at] = value;
      Parsed parsed(bytes);
      if (IsOk(parsed.map.Open())) (void)parsed.map.FindInteger("bc");  // any answer will do
    }
    Parsed parsed(ByteSpan(kMap).first(at));
    if (IsOk(parsed.map.Open())) (void)parsed.map.FindInteger("bc");  // any answer will do
  }
}

}  // namespace
}  // namespace ota::formats
