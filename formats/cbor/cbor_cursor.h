// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

// Reads CBOR (RFC 8949) that is in its one deterministic form (section 4.2.1), item by item and
// without copying. The bytes are foreign: whatever they are, a call never reads outside of them,
// and takes time in proportion to them.
//
// As with CborWriter, the calls themselves cannot fail: the first thing wrong is remembered,
// whatever is read after it is nothing (0, false, empty), and Finish() tells. So what was read is
// only believed once status() was asked; loops end by themselves, since no count is larger than the
// rest of the bytes and NextKey() is false.
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
inline constexpr uint32_t kCborSimpleNull = 22;

/// What the low bits of a head say if it has that argument: the argument itself below 24, otherwise
/// 24 and the power of two of the bytes that hold it.
uint32_t CborHeadInfo(uint64_t argument);

/// How deep arrays, maps and tags may lie in each other.
inline constexpr uint32_t kCborDepthMax = 8;

/// Besides the statuses of the single calls, every Read can end in kCborMalformed when the bytes
/// end too soon or are no CBOR, kCborNotDeterministic as above, and kCborTypeUnexpected when
/// another type stands there.
class CborCursor {
 public:
  /// A map that is being read; see BeginMap.
  struct Map {
    uint32_t pairs_left = 0;
    uint32_t last_rank = 0;
    bool has_last = false;
  };

  /// The bytes must outlive the cursor and all spans that it gives.
  explicit CborCursor(ByteSpan bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  /// kOk, or the first thing wrong.
  Status status() const { return status_; }
  bool ok() const { return status_ == Status::kOk; }

  /// What is there breaks a rule of the caller's format. Only the first call counts.
  void Fail(Status why);
  [[gnu::always_inline]] void FailUnless(bool is_right, Status otherwise) {
    if (!is_right) Fail(otherwise);
  }

  /// Bytes read so far.
  size_t position() const { return static_cast<size_t>(at_ - begin_); }
  bool IsNext(CborType type) const {
    return at_ != end_ && *at_ >> 5 == static_cast<uint8_t>(type);
  }

  /// Whether a number of at least `least` comes next, or what holds so many bytes, items or pairs.
  /// `least` is at most 24. True at the end.
  bool IsNextAtLeast(uint32_t least) const { return at_ == end_ || (*at_ & 31u) >= least; }

  /// kCborOutOfRange: above `value_max`.
  uint64_t ReadUnsigned();
  uint32_t ReadNumber(uint32_t value_max = UINT32_MAX);

  /// Labels and names of algorithms. kCborOutOfRange: it does not fit.
  int32_t ReadInteger();

  /// kCborOutOfRange: more than `bytes_max`.
  void ReadBytes(ByteSpan& target, size_t bytes_max = SIZE_MAX);

  /// `otherwise`: another number of bytes.
  void ReadBytesOfSize(ByteSpan& target, size_t size_bytes, Status otherwise);

  /// UTF-8, checked. kCborMalformed: it is not. kCborOutOfRange: more than `bytes_max`.
  void ReadText(std::string_view& target, size_t bytes_max = SIZE_MAX);

  /// The bytes of what `type` says: a byte string or a text. As ReadBytes and ReadText.
  void ReadString(CborType type, ByteSpan& target, size_t bytes_max = SIZE_MAX);

  bool ReadBool();
  void ReadNull();
  uint64_t ReadTag();

  /// The head of an array; its items follow. kCborMalformed: more than the bytes can hold.
  /// kCborOutOfRange: more than `count_max`.
  uint32_t ReadArrayHead();
  uint32_t ReadArrayHead(uint32_t count_max);

  /// `otherwise`: another count.
  void ReadArrayOf(uint32_t count, Status otherwise);

  /// The head of a byte string that may end beyond the bytes at hand; the caller checks what it
  /// claims.
  uint64_t ReadBytesHead();

  /// Reads a map whose keys are integers:
  ///
  ///   CborCursor::Map map = cursor.BeginMap();
  ///   for (int32_t key; cursor.NextKey(map, key);) … read the value
  ///
  /// NextKey is false at the end and after anything wrong. kCborNotDeterministic: the key does not
  /// lie after the one before it.
  Map BeginMap();
  bool NextKey(Map& map, int32_t& key);

  /// Goes into a byte string that holds CBOR: until Leave, its end is where the bytes end.
  /// kCborTrailingBytes: Leave finds something left in it. Leave gets what Enter gave.
  const uint8_t* Enter();
  void Leave(const uint8_t* outer_end);

  /// Goes over one item with all that lies in it, having checked that it is deterministic to the
  /// last byte; gives its encoding. kCborTooDeep: more than kCborDepthMax levels.
  void ReadItem(ByteSpan& encoding);
  void SkipItem();

  /// Where the next item begins.
  const uint8_t* here() const { return at_; }

  /// The encoding of all that was read since then; empty after anything wrong.
  ByteSpan encoding_since(const uint8_t* here) const;

  /// status(), or kCborTrailingBytes: something follows what was read.
  Status Finish();

 protected:
  /// The argument of a head of that type; never one that fits a byte if an integer of the other
  /// sign is there.
  uint64_t ReadHeadOf(CborType type);

 private:
  uint64_t ReadHead(uint32_t types_allowed);
  uint64_t ReadArgument(uint32_t info);
  uint32_t ReadCount(CborType type, uint32_t item_bytes_min);
  void ReadSimple(uint32_t first, uint32_t last);
  void Skip(uint32_t depth);

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
  Status status_ = Status::kOk;
  uint8_t head_type_ = 0;  // of the last head
};

}  // namespace ota::formats
