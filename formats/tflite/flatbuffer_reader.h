// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"

namespace ota::formats {

/// Where a table lies in a flatbuffer. One of zeros stands for an absent table: all its fields are
/// absent.
struct FlatTable {
  uint32_t position;

  bool is_present() const { return position != 0; }
};

/// Where the elements of a vector lie. An absent vector has no elements.
struct FlatVector {
  uint32_t position;  ///< of the first element
  uint32_t count;
};

/// What a field of a table is. kOneI32 is 1 if it is absent, kOne always (kAbsentSlot). Vectors go
/// by the bytes of an element: 1, 4, 8, whose logarithms are the two lowest bits.
enum class FlatKind : uint8_t {
  kEnd,
  kU8,
  kI32,
  kOneI32,
  kOne,
  kTable,
  kBytes = 8,
  kWords = 10,
  kLongs
};

/// A slot for fields that a table does not have.
constexpr uint8_t kAbsentSlot = 15;

/// Describes a field for ReadFields. A list of them ends with kEnd.
struct FlatField {
  uint8_t slot : 4;
  FlatKind kind : 4;
};

/// Words that the fields of a list come to.
consteval uint32_t CountWords(const FlatField* fields) {
  uint32_t words = 0;
  for (; fields->kind != FlatKind::kEnd; ++fields) words += fields->kind < FlatKind::kBytes ? 1 : 2;
  return words;
}

/// Reads a flatbuffer through a source, whatever its bytes. It never casts into the file, so
/// alignment does not matter, and it keeps a window of 64 bytes, so that a source that is not
/// memory mapped is not asked for each word.
///
/// The first failure sticks: from then on every read yields 0, an absent table or an empty vector,
/// and `status()` says what went wrong. So a caller may read a handful of fields and ask once; a
/// loop over foreign counts must ask in its condition.
class FlatbufferReader {
 public:
  /// `source` must outlive the reader.
  explicit FlatbufferReader(ByteSource& source);

  /// kOk; kModelTruncated for a position outside of the file, kModelMalformed for a broken table,
  /// or what the source returned.
  Status status() const { return status_; }
  uint32_t size_bytes() const { return size_bytes_; }
  ByteSource& source() { return source_; }

  /// Sticks `status`, if nothing failed before.
  void Fail(Status status);
  /// Makes the reader usable again after a failure of the source.
  void ClearStatus() { status_ = Status::kOk; }

  uint8_t ReadU8(uint32_t position);
  uint16_t ReadU16(uint32_t position);
  uint32_t ReadU32(uint32_t position);
  int32_t ReadI32(uint32_t position) { return static_cast<int32_t>(ReadU32(position)); }
  uint64_t ReadU64(uint32_t position);
  float ReadF32(uint32_t position);
  /// Fills `target` from `position` on.
  void ReadBytes(uint32_t position, MutableByteSpan target);

  /// The table at `position`, its vtable checked to lie in the file.
  FlatTable ReadTable(uint32_t position);
  /// Position of the field in `slot`, 0 if it is absent. `bytes`: the field's size; the field is
  /// checked to lie in its table.
  uint32_t FindField(FlatTable table, uint32_t slot, uint32_t bytes);
  /// Position that the reference in `slot` leads to, 0 if it is absent.
  uint32_t FindTarget(FlatTable table, uint32_t slot) {
    return FollowField(FindField(table, slot, 4));
  }
  /// The vector of elements of `element_bytes` that the reference in `slot` leads to.
  FlatVector FindVector(FlatTable table, uint32_t slot, uint32_t element_bytes);
  /// Reads the fields of a list into `target`, which has their words in the same order: numbers as
  /// a word, 0 if they are absent and their kind says nothing else, tables as a FlatTable, vectors
  /// as a FlatVector.
  template <const auto& kFields, typename Target>
  void ReadFields(FlatTable table, Target& target) {
    static_assert(CountWords(kFields) * 4 == sizeof(Target));
    ReadFieldList(table, kFields, reinterpret_cast<uint32_t*>(&target));
  }
  void ReadFieldList(FlatTable table, const FlatField* fields, uint32_t* target);
  /// The table that element `index` of a vector of references leads to.
  FlatTable ReadElementTable(const FlatVector& vector, uint32_t index);
  int32_t ReadElementI32(const FlatVector& vector, uint32_t index);

  /// Scalar fields, with the value they have when absent.
  uint8_t FieldU8(FlatTable table, uint32_t slot, uint8_t absent = 0);
  int32_t FieldI32(FlatTable table, uint32_t slot, int32_t absent = 0);
  float FieldF32(FlatTable table, uint32_t slot, float absent = 0.0f);

 private:
  /// Sticks kModelMalformed. Returns 0.
  uint32_t Refuse();
  /// Sticks kModelTruncated unless the range lies in the file. Whether nothing has failed so far.
  bool RequireInFile(uint32_t position, uint32_t bytes);
  /// Address of `bytes` bytes at `position`, of zeros after a failure. Valid until the next call.
  const uint8_t* Load(uint32_t position, uint32_t bytes);
  /// Position that the reference at `position` leads to, 0 after a failure. Of a field: also if it
  /// is absent.
  uint32_t Follow(uint32_t position);
  uint32_t FollowField(uint32_t field);
  /// The vector at `position`, which is absent if that is 0.
  void ReadVector(uint32_t position, uint32_t element_bytes, FlatVector& vector);
  static constexpr uint32_t kWindowBytes = 64;

  ByteSource& source_;
  const uint8_t* const mapped_;
  uint32_t size_bytes_;
  Status status_ = Status::kOk;
  uint32_t window_position_ = 0;
  uint32_t window_length_ = 0;
  uint8_t window_[kWindowBytes];
};

}  // namespace ota::formats
