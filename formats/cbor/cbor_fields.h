// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "formats/cbor/cbor_cursor.h"

// Formats as tables: a row of steps says what stands in the bytes and into which member of a struct
// it goes. A step takes two or four bytes of flash, where calls of CborCursor that do the same take
// fifteen.
//
//   constexpr auto kPoint = CborTable<
//       CborStatuses(Status::kCborTypeUnexpected), CborArray(2), CborNumber(OTA_CBOR_PLACE(Point,
//       x)), CborNumber(OTA_CBOR_PLACE(Point, y)), kCborEnd>();
//
// What a table cannot say is a special of the format: a function that reads or checks something.

namespace ota::formats {

/// What a step does. Those up to kWrapped take two bytes in a table, the others four.
enum class CborOp : uint8_t {
  kHead,  // of each CborType: that one and the seven that follow
  kEnd = 8,
  kKey,
  kSpecial,
  kArray,
  kIfLonger,
  kSkip,
  kLeast,
  kWrapped,
  kMap,  // as kWrapped, kList and kItems followed by others, to a kEnd
  kList,
  kItems,
  kElements,
  kStatuses,
  kAt,
  kNumber8,
  kNumber32,
  kNumber64,
  kOptional32,
  kOptional64,
  kInteger32,
  kBytes,
  kBytesOf,
  kCopyOf,
  kText,
};

/// From the lowest bit: 8 of an operation, 8 of a limit or value, 16 of an offset.
using CborStep = uint32_t;

constexpr CborStep MakeCborStep(CborOp op, uint32_t limit = 0, uint32_t offset = 0) {
  return static_cast<uint32_t>(op) | (limit & 0xFF) << 8 | offset << 16;
}
constexpr bool IsLongCborStep(CborStep step) {
  return (step & 0xFF) > static_cast<uint32_t>(CborOp::kWrapped);
}

/// The table of some steps.
using CborTableWord = uint16_t;
template <CborStep... kSteps>
consteval auto CborTable() {
  constexpr size_t kWords = (0 + ... + (IsLongCborStep(kSteps) ? 2 : 1));
  std::array<CborTableWord, kWords> table = {};
  size_t at = 0;
  for (const CborStep step : {kSteps...}) {
    table[at++] = static_cast<CborTableWord>(step);
    if (IsLongCborStep(step)) table[at++] = static_cast<CborTableWord>(step >> 16);
  }
  return table;
}

/// A member of the struct that a table fills; OTA_CBOR_PLACE makes it.
template <typename T>
struct CborPlace {
  uint16_t offset = 0;
};

#define OTA_CBOR_PLACE(type, member)                                                           \
  ::ota::formats::CborPlace<std::remove_reference_t<decltype(std::declval<type&>().member)>> { \
    offsetof(type, member)                                                                     \
  }

/// The end of a table, of the elements of a list, of a map, or of wrapped bytes.
inline constexpr CborStep kCborEnd = MakeCborStep(CborOp::kEnd);

/// Until the end of what stands around it: the status for a value, count or key that the format
/// does not have, and the one for a size that it does not have. Each table begins with one.
constexpr CborStep CborStatuses(Status value_refused, Status size_refused) {
  return static_cast<uint32_t>(CborOp::kStatuses) | static_cast<uint32_t>(value_refused) << 8 |
         static_cast<uint32_t>(size_refused) << 20;
}
constexpr CborStep CborStatuses(Status refused) { return CborStatuses(refused, refused); }

/// Those that follow fill the member, not the struct.
template <typename T>
constexpr CborStep CborAt(CborPlace<T> place) {
  return MakeCborStep(CborOp::kAt, 0, place.offset);
}

/// Calls the special of the table with that number; the value is refused if it says so.
constexpr CborStep CborSpecial(uint32_t number) { return MakeCborStep(CborOp::kSpecial, number); }

constexpr CborStep MakeCborHeadStep(CborType type, uint32_t argument) {
  return static_cast<uint32_t>(type) | (argument & 0xFF) << 8;
}

/// An array of so many items, which follow.
constexpr CborStep CborArray(uint32_t count) { return MakeCborHeadStep(CborType::kArray, count); }
constexpr CborStep CborTag(uint32_t tag) { return MakeCborHeadStep(CborType::kTag, tag); }

/// An array of so many items, or of so many more; at most 15. kCborIfLonger stands before those
/// that only the longer one has: where the shorter one ends.
constexpr CborStep CborArray(uint32_t count, uint32_t longer_count) {
  return MakeCborStep(CborOp::kArray, count | longer_count << 4);
}
inline constexpr CborStep kCborIfLonger = MakeCborStep(CborOp::kIfLonger);

/// An integer that must be `value`.
constexpr CborStep CborEqual(int64_t value) {
  return value < 0 ? MakeCborHeadStep(CborType::kNegative, static_cast<uint32_t>(~value))
                   : MakeCborHeadStep(CborType::kUnsigned, static_cast<uint32_t>(value));
}

/// Any item; nothing is done with it.
inline constexpr CborStep kCborSkip = MakeCborStep(CborOp::kSkip);

inline constexpr CborStep kCborNull = MakeCborHeadStep(CborType::kSimple, kCborSimpleNull);

/// What comes next must be a number of at least `least`, or hold so many bytes or items; otherwise
/// its size is refused. At most 24.
constexpr CborStep CborLeast(uint32_t least) { return MakeCborStep(CborOp::kLeast, least); }
inline constexpr CborStep kCborNotZero = CborLeast(1);

/// A number.
constexpr CborStep CborNumber(CborPlace<uint32_t> place) {
  return MakeCborStep(CborOp::kNumber32, 0, place.offset);
}
constexpr CborStep CborNumber(CborPlace<uint64_t> place) {
  return MakeCborStep(CborOp::kNumber64, 0, place.offset);
}
constexpr CborStep CborNumber(CborPlace<std::optional<uint32_t>> place) {
  return MakeCborStep(CborOp::kOptional32, 0, place.offset);
}
constexpr CborStep CborNumber(CborPlace<std::optional<uint64_t>> place) {
  return MakeCborStep(CborOp::kOptional64, 0, place.offset);
}

/// A number into one byte; refused above `last`.
template <typename T>
constexpr CborStep CborNumber(CborPlace<T> place, uint32_t last) {
  static_assert(sizeof(T) == 1);
  return MakeCborStep(CborOp::kNumber8, last, place.offset);
}
template <typename T>
constexpr CborStep CborNumber(CborPlace<T> place, T last) {
  return CborNumber(place, static_cast<uint32_t>(last));
}

/// An integer that may be negative.
constexpr CborStep CborInteger(CborPlace<int32_t> place) {
  return MakeCborStep(CborOp::kInteger32, 0, place.offset);
}

/// A size that is a limit: a multiple of eight, at most 2032; SIZE_MAX is none.
inline constexpr size_t kCborSizeUnitBytes = 8;
inline constexpr uint32_t kCborAnySize = 0xFF;
consteval uint32_t CborSizeLimit(size_t bytes_max) {
  return bytes_max == SIZE_MAX ? kCborAnySize
                               : static_cast<uint32_t>(bytes_max / kCborSizeUnitBytes);
}

/// A byte string or text of at most so many bytes; kCborOutOfRange above that.
consteval CborStep CborBytes(CborPlace<ByteSpan> place, size_t bytes_max = SIZE_MAX) {
  return MakeCborStep(CborOp::kBytes, CborSizeLimit(bytes_max), place.offset);
}
consteval CborStep CborText(CborPlace<std::string_view> place, size_t bytes_max = SIZE_MAX) {
  return MakeCborStep(CborOp::kText, CborSizeLimit(bytes_max), place.offset);
}

/// A byte string of exactly so many bytes; the second copies them.
constexpr CborStep CborBytesOf(CborPlace<ByteSpan> place, uint32_t size_bytes) {
  return MakeCborStep(CborOp::kBytesOf, size_bytes, place.offset);
}
template <size_t kBytes>
constexpr CborStep CborCopyOf(CborPlace<std::array<uint8_t, kBytes>> place) {
  return MakeCborStep(CborOp::kCopyOf, kBytes, place.offset);
}

/// A byte string that holds what follows to kCborEnd, and nothing more.
inline constexpr CborStep kCborWrapped = MakeCborStep(CborOp::kWrapped);

/// A map. The members that may stand in it follow, each from its key to the next one, at most 32,
/// to kCborEnd. `incomplete`: one of the first `required_count` is missing.
constexpr CborStep CborMap(Status incomplete, uint32_t required_count) {
  return static_cast<uint32_t>(CborOp::kMap) | required_count << 8 |
         static_cast<uint32_t>(incomplete) << 16;
}
/// From -127 to 127; or kCborPrivateKey, the first number below those that registries of IANA give
/// out in one or two bytes.
inline constexpr int32_t kCborPrivateKey = -257;
consteval CborStep CborKey(int64_t key) {
  return MakeCborStep(CborOp::kKey, static_cast<uint8_t>(key == kCborPrivateKey ? INT8_MIN : key));
}

inline constexpr uint32_t kCborAnyCount = 0xFF;

/// An array of at most `count_max` that are alike; their number goes into the member. CborElements
/// must follow, then what stands in one of them, then kCborEnd.
constexpr CborStep CborListOf(CborPlace<uint8_t> count, uint32_t count_max) {
  return MakeCborStep(CborOp::kList, count_max, count.offset);
}
template <typename T, size_t kCount>
constexpr CborStep CborElements(CborPlace<std::array<T, kCount>> place) {
  static_assert(sizeof(T) < 256);
  return MakeCborStep(CborOp::kElements, sizeof(T), place.offset);
}

/// An array of items that are alike, whose encoding goes into the member. What stands in one of
/// them follows, to kCborEnd; it is read into a struct of kCborScratchBytes that nobody keeps.
constexpr CborStep CborItemsOf(CborPlace<ByteSpan> place, uint32_t count_max = kCborAnyCount) {
  return MakeCborStep(CborOp::kItems, count_max, place.offset);
}
inline constexpr size_t kCborScratchBytes = 48;

/// A cursor that also reads by tables.
class CborFieldReader : public CborCursor {
 public:
  /// Reads or checks what a table cannot say. `target`: what the table fills at that place. False:
  /// the value is refused, with the status that the table has for it.
  using Special = bool (*)(CborFieldReader& reader, uint32_t number, void* target);

  explicit CborFieldReader(ByteSpan bytes, Special special = nullptr)
      : CborCursor(bytes), special_(special) {}

  /// Reads what the table says into `target`, which is of the type that its places are in. What is
  /// wrong is remembered as by the calls of CborCursor.
  void Read(const CborTableWord* table, void* target);

  /// The same, with other specials as long as it takes.
  void Read(const CborTableWord* table, void* target, Special special);

  /// Reads the value of one member of a table that begins with a map, whose key was read already.
  void ReadMember(const CborTableWord* table, int32_t key, void* target);

 private:
  void Run(const CborTableWord* at, uint8_t* target);
  void RunBlock(CborStep step, const CborTableWord* at, uint8_t* target);
  void RunArray(CborStep step, const CborTableWord* at, uint8_t* target);
  void RunMap(CborStep step, const CborTableWord* at, uint8_t* target);
  uint32_t RunMember(const CborTableWord* at, int32_t key, uint8_t* target);
  bool RunField(CborStep step, uint8_t* field);
  void RefuseValue();
  Status size_refused() const;

  Special special_;
  CborStep statuses_ = 0;  // those in force
};

/// Goes through an encoded array:
///
///   for (CborItems items(encoded); items.HasNext();) … read one item of it
class CborItems : public CborFieldReader {
 public:
  /// `encoded` must outlive it. What is not an array has no items.
  explicit CborItems(ByteSpan encoded);

  /// False at the end and after anything wrong.
  bool HasNext();

  /// Goes over so many items. False: there are not more than that.
  bool HasNextAfter(uint32_t count);

  /// How many items there still are.
  uint32_t count_left() const { return left_; }

 private:
  uint32_t left_;
};

/// Reads all of `bytes` by one table. Statuses of the table and of CborCursor::Finish.
Status DecodeFields(ByteSpan bytes, void* target, const CborTableWord* table);
Status DecodeFields(ByteSpan bytes, void* target, const CborTableWord* table,
                    CborFieldReader::Special special);

}  // namespace ota::formats
