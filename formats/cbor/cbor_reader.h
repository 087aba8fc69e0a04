// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// Reads CBOR (RFC 8949) that is in its one deterministic form (section 4.2.1), item by item,
// without recursion and without copying. The bytes are foreign: whatever they are, a call returns a
// value or a status, never reads outside of them, and takes time in proportion to them.
//
// Refused with kCborNotDeterministic: heads longer than needed, indefinite lengths, map keys out of
// order or twice. Floating point numbers and simple values besides false, true and null do not
// occur in our formats and are refused with kCborTypeUnexpected.

namespace ota::formats {

enum class CborType : uint8_t {
  kUnsigned = 0,
  kNegative = 1,
  kBytes = 2,
  kText = 3,
  kArray = 4,
  kMap = 5,
  kTag = 6,
  kSimple = 7,
};

/// How deep arrays, maps and tags may lie in each other.
inline constexpr size_t kCborDepthMax = 8;

/// Besides the statuses of the single calls, every Read returns kCborMalformed when the bytes end
/// too soon or are no CBOR, kCborNotDeterministic as above, and kCborTypeUnexpected when another
/// type stands there. A call that fails moves nothing.
class CborReader {
 public:
  /// The bytes must outlive the reader and all spans that it gives.
  explicit constexpr CborReader(ByteSpan bytes) : bytes_(bytes) {}

  constexpr size_t position() const { return position_; }
  constexpr bool is_at_end() const { return position_ == bytes_.size(); }

  Result<CborType> PeekType() const;

  /// kCborOutOfRange: the number is above `value_max`.
  Result<uint64_t> ReadUnsigned(uint64_t value_max = UINT64_MAX);

  /// As above; kCborOutOfRange also when the number does not fit into 64 signed bits.
  Result<int64_t> ReadInteger();

  /// kCborOutOfRange: more than `bytes_max`.
  Result<ByteSpan> ReadBytes(size_t bytes_max = SIZE_MAX);

  /// UTF-8, checked. kCborMalformed: it is not. kCborOutOfRange: more than `bytes_max`.
  Result<std::string_view> ReadText(size_t bytes_max = SIZE_MAX);

  Result<bool> ReadBool();
  Status ReadNull();
  Result<uint64_t> ReadTag();

  /// Reads the head of an array; its items follow. The count is plausible: no larger than the rest
  /// of the input. kCborOutOfRange: more than `count_max`.
  Result<uint32_t> ReadArrayHead(uint32_t count_max = UINT32_MAX);

  /// Heads alone, of what may go on beyond the bytes at hand: a map whose pairs, or a byte string
  /// whose bytes, are only partly here. The caller checks what the count or length claims.
  Result<uint32_t> ReadMapHeadOfPart();
  Result<uint64_t> ReadBytesHead();

  /// Skips one item with all that lies in it, having checked that it is deterministic to the last
  /// byte; returns its encoding. kCborTooDeep: more than kCborDepthMax levels.
  Result<ByteSpan> ReadItem();

  /// kCborTrailingBytes: something follows what was read.
  Status Finish() const;

 private:
  friend class CborMapReader;

  struct Head {
    CborType type;
    uint8_t info;
    uint64_t argument;
    size_t end;
  };

  Result<Head> ParseHead(size_t at) const;
  Result<Head> ExpectHead(CborType type) const;
  Result<ByteSpan> ReadString(CborType type, size_t bytes_max);
  Result<uint32_t> ReadCount(CborType type, uint32_t count_max);

  ByteSpan bytes_;
  size_t position_ = 0;
};

/// Reads a map with a reader: Next() before each pair, then the key and the value with the reader.
///
///   OTA_TRY(CborMapReader map, CborReader…);
///   while (map.has_next()) {
///     OTA_TRY(const int64_t key, map.ReadIntegerKey());
///     … read the value with the reader
///   }
class CborMapReader {
 public:
  /// Reads the head of a map. `reader` must outlive the map. kCborOutOfRange: more than
  /// `pairs_max`.
  static Result<CborMapReader> Open(CborReader& reader, uint32_t pairs_max = UINT32_MAX);

  bool has_next() const { return pairs_left_ != 0; }
  uint32_t pairs_left() const { return pairs_left_; }

  /// The key of the next pair. kCborNotDeterministic: it does not lie after the one before it.
  /// kWrongState: there is none.
  Result<int64_t> ReadIntegerKey();
  Result<std::string_view> ReadTextKey(size_t bytes_max = SIZE_MAX);
  Result<ByteSpan> ReadBytesKey(size_t bytes_max = SIZE_MAX);

 private:
  CborMapReader(CborReader& reader, uint32_t pairs) : reader_(&reader), pairs_left_(pairs) {}
  Status AcceptKey(size_t key_begin);

  CborReader* reader_;
  uint32_t pairs_left_;
  ByteSpan last_key_;
};

}  // namespace ota::formats
