// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"

namespace ota::formats {

/// Where a table lies in a flatbuffer. A default one stands for an absent table: all its fields are
/// absent.
struct FlatTable {
  uint32_t position = 0;
  uint32_t vtable = 0;
  uint16_t vtable_bytes = 0;

  bool is_present() const { return position != 0; }
};

/// Where the elements of a vector lie. An absent vector has no elements.
struct FlatVector {
  uint32_t position = 0;  ///< of the first element
  uint32_t count = 0;
};

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
  uint32_t FindField(const FlatTable& table, uint32_t slot, uint32_t bytes);
  /// Position that the reference in `slot` leads to, 0 if it is absent.
  uint32_t FindTarget(const FlatTable& table, uint32_t slot);
  /// The table, or the vector of elements of `element_bytes`, that the reference in `slot` leads
  /// to.
  FlatTable FindTable(const FlatTable& table, uint32_t slot);
  FlatVector FindVector(const FlatTable& table, uint32_t slot, uint32_t element_bytes);
  /// The table that element `index` of a vector of references leads to.
  FlatTable ReadElementTable(const FlatVector& vector, uint32_t index);
  int32_t ReadElementI32(const FlatVector& vector, uint32_t index);

  /// Scalar fields, with the value they have when absent.
  uint8_t FieldU8(const FlatTable& table, uint32_t slot, uint8_t absent = 0);
  int32_t FieldI32(const FlatTable& table, uint32_t slot, int32_t absent = 0);
  uint64_t FieldU64(const FlatTable& table, uint32_t slot);
  float FieldF32(const FlatTable& table, uint32_t slot, float absent = 0.0f);

 private:
  /// Address of `bytes` bytes at `position`, or null after a failure. Valid until the next call.
  const uint8_t* Load(uint32_t position, uint32_t bytes);

  static constexpr uint32_t kWindowBytes = 64;

  ByteSource& source_;
  const uint8_t* mapped_ = nullptr;
  uint32_t size_bytes_;
  Status status_ = Status::kOk;
  uint32_t window_position_ = 0;
  uint32_t window_length_ = 0;
  uint8_t window_[kWindowBytes];
};

}  // namespace ota::formats
