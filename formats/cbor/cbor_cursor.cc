// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_cursor.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ota::formats {
namespace {

constexpr uint32_t kSimpleFalse = 20;
constexpr uint32_t kSimpleTrue = 21;

constexpr uint32_t BitOf(CborType type) { return 1u << static_cast<uint32_t>(type); }
constexpr uint32_t kIntegers = BitOf(CborType::kUnsigned) | BitOf(CborType::kNegative);
constexpr uint32_t kAnyType = 0xFF;

// Of two encodings, of which none begins with the other.
bool IsBefore(ByteSpan first, ByteSpan second) {
  return std::memcmp(first.data(), second.data(), std::min(first.size(), second.size())) < 0;
}

// RFC 3629: the ones at the top of the first byte say how many bytes a character takes; it has its
// shortest form, is no surrogate, and at most 10FFFF.
bool IsUtf8(ByteSpan text) {
  const uint8_t* at = text.data();
  const uint8_t* const end = at + text.size();
  while (at != end) {
    uint32_t character = *at++;
    if (character < 0x80) continue;
    const auto bytes = static_cast<uint32_t>(std::countl_one(character << 24));
    if (bytes < 2 || bytes > 4) return false;
    character &= 0x7Fu >> bytes;
    for (uint32_t i = 1; i < bytes; ++i) {
      if (at == end || *at >> 6 != 2) return false;
      character = character << 6 | (*at++ & 0x3Fu);
    }
    const uint32_t shorter_bits = bytes == 2 ? 7 : 5u * bytes - 4u;
    const bool is_surrogate = character >> 11 == 0xD800 >> 11;
    if (character >> shorter_bits == 0 || is_surrogate || character > 0x10FFFF) return false;
  }
  return true;
}

}  // namespace

uint32_t CborHeadInfo(uint64_t argument) {
  const auto low = static_cast<uint32_t>(argument);
  if (argument > UINT32_MAX) return 27;
  return low < 24 ? low : 24u + (low > UINT8_MAX) + (low > UINT16_MAX);
}

void CborCursor::Fail(Status why) {
  if (ok()) status_ = why;
  at_ = end_;
}

// The bytes after the first one, of which there are 1, 2, 4 or 8; in two words, since that is what
// a 32-bit board has.
uint64_t CborCursor::ReadArgument(uint32_t info) {
  const uint32_t width = 1u << (info - 24);
  if (width > static_cast<size_t>(end_ - at_)) {
    Fail(Status::kCborMalformed);
    return 0;
  }
  uint32_t high = 0;
  uint32_t low = 0;
  for (uint32_t i = 0; i < width; ++i) {
    high = high << 8 | low >> 24;
    low = low << 8 | *at_++;
  }
  const uint64_t argument = uint64_t{high} << 32 | low;
  if (CborHeadInfo(argument) == info) return argument;
  Fail(Status::kCborNotDeterministic);
  return 0;
}

uint64_t CborCursor::ReadHead(uint32_t types_allowed) {
  if (at_ == end_) {
    Fail(Status::kCborMalformed);
    return 0;
  }
  const uint32_t first = *at_;
  const uint32_t info = first & 31;
  head_type_ = static_cast<uint8_t>(first >> 5);
  if (info > 27) {
    Fail(info == 31 ? Status::kCborNotDeterministic : Status::kCborMalformed);
    return 0;
  }
  const bool is_float = head_type_ == static_cast<uint8_t>(CborType::kSimple) && info >= 24;
  if (is_float || (types_allowed >> head_type_ & 1) == 0) {
    Fail(Status::kCborTypeUnexpected);
    return 0;
  }
  ++at_;
  return info < 24 ? info : ReadArgument(info);
}

uint64_t CborCursor::ReadHeadOf(CborType type) {
  const uint32_t types = type <= CborType::kNegative ? kIntegers : BitOf(type);
  const uint64_t argument = ReadHead(types);
  return head_type_ == static_cast<uint8_t>(type) ? argument : UINT64_MAX;
}

uint64_t CborCursor::ReadUnsigned() { return ReadHead(BitOf(CborType::kUnsigned)); }

uint32_t CborCursor::ReadNumber(uint32_t value_max) {
  const uint64_t value = ReadUnsigned();
  if (value <= value_max) return static_cast<uint32_t>(value);
  Fail(Status::kCborOutOfRange);
  return 0;
}

int32_t CborCursor::ReadInteger() {
  const uint64_t argument = ReadHead(kIntegers);
  if (argument > INT32_MAX) {
    Fail(Status::kCborOutOfRange);
    return 0;
  }
  const auto value = static_cast<int32_t>(argument);
  return head_type_ == static_cast<uint8_t>(CborType::kNegative) && ok() ? ~value : value;
}

void CborCursor::ReadString(CborType type, ByteSpan& target, size_t bytes_max) {
  const uint64_t length = ReadHead(BitOf(type));
  target = {};
  if (length > static_cast<size_t>(end_ - at_)) return Fail(Status::kCborMalformed);
  if (length > bytes_max) return Fail(Status::kCborOutOfRange);
  target = ByteSpan(at_, static_cast<size_t>(length));
  if (type == CborType::kText && !IsUtf8(target)) {
    target = {};
    return Fail(Status::kCborMalformed);
  }
  at_ += target.size();
}

void CborCursor::ReadBytes(ByteSpan& target, size_t bytes_max) {
  ReadString(CborType::kBytes, target, bytes_max);
}

void CborCursor::ReadBytesOfSize(ByteSpan& target, size_t size_bytes, Status otherwise) {
  ReadBytes(target);
  if (target.size() == size_bytes) return;
  target = {};
  Fail(otherwise);
}

void CborCursor::ReadText(std::string_view& target, size_t bytes_max) {
  ByteSpan bytes;
  ReadString(CborType::kText, bytes, bytes_max);
  target = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool CborCursor::ReadBool() {
  const uint64_t value = ReadHead(BitOf(CborType::kSimple));
  FailUnless(value == kSimpleFalse || value == kSimpleTrue, Status::kCborTypeUnexpected);
  return ok() && value == kSimpleTrue;
}

void CborCursor::ReadNull() {
  FailUnless(ReadHead(BitOf(CborType::kSimple)) == kCborSimpleNull, Status::kCborTypeUnexpected);
}

uint64_t CborCursor::ReadTag() { return ReadHead(BitOf(CborType::kTag)); }

uint64_t CborCursor::ReadBytesHead() { return ReadHead(BitOf(CborType::kBytes)); }

// Of an array or map of which each item takes at least so many bytes.
uint32_t CborCursor::ReadCount(CborType type, uint32_t item_bytes_min) {
  const uint64_t count = ReadHead(BitOf(type));
  if (count <= static_cast<size_t>(end_ - at_) / item_bytes_min)
    return static_cast<uint32_t>(count);
  Fail(Status::kCborMalformed);
  return 0;
}

uint32_t CborCursor::ReadArrayHead() { return ReadCount(CborType::kArray, 1); }

uint32_t CborCursor::ReadArrayHead(uint32_t count_max) {
  const uint32_t count = ReadArrayHead();
  if (count <= count_max) return count;
  Fail(Status::kCborOutOfRange);
  return 0;
}

void CborCursor::ReadArrayOf(uint32_t count, Status otherwise) {
  FailUnless(ReadArrayHead() == count, otherwise);
}

CborCursor::Map CborCursor::BeginMap() { return {ReadCount(CborType::kMap, 2), 0, false}; }

bool CborCursor::NextKey(Map& map, int32_t& key) {
  if (map.pairs_left == 0 || !ok()) return false;
  --map.pairs_left;
  key = ReadInteger();
  // Encodings are ordered as these: the numbers from 0 up, then those from -1 down.
  const uint32_t rank = static_cast<uint32_t>(key) ^ (key < 0 ? UINT32_MAX >> 1 : 0);
  if (map.has_last && rank <= map.last_rank) Fail(Status::kCborNotDeterministic);
  map.last_rank = rank;
  map.has_last = true;
  return ok();
}

const uint8_t* CborCursor::Enter() {
  const uint8_t* const outer_end = end_;
  ByteSpan content;
  ReadBytes(content);
  if (ok()) {
    at_ = content.data();
    end_ = at_ + content.size();
  }
  return outer_end;
}

void CborCursor::Leave(const uint8_t* outer_end) {
  FailUnless(at_ == end_, Status::kCborTrailingBytes);
  end_ = outer_end;
  if (!ok()) at_ = end_;
}

// Calls itself at most kCborDepthMax times.
void CborCursor::Skip(uint32_t depth) {
  const uint8_t* const begin = at_;
  uint64_t argument = ReadHead(kAnyType);
  const auto type = static_cast<CborType>(head_type_);
  if (!ok() || type <= CborType::kNegative) return;
  if (type == CborType::kSimple) {
    return FailUnless(argument >= kSimpleFalse && argument <= kCborSimpleNull,
                      Status::kCborTypeUnexpected);
  }
  if (type <= CborType::kText) {
    ByteSpan string;
    at_ = begin;
    return ReadString(type, string, SIZE_MAX);
  }
  if (type == CborType::kTag) argument = 1;
  if (argument > static_cast<size_t>(end_ - at_)) return Fail(Status::kCborMalformed);
  auto count = static_cast<size_t>(argument);
  if (count != 0 && depth == kCborDepthMax) return Fail(Status::kCborTooDeep);
  ByteSpan last_key;
  for (; count != 0 && ok(); --count) {
    const uint8_t* const key_begin = at_;
    Skip(depth + 1);
    if (type != CborType::kMap) continue;
    const ByteSpan key(key_begin, at_);
    FailUnless(last_key.empty() || IsBefore(last_key, key), Status::kCborNotDeterministic);
    last_key = key;
    Skip(depth + 1);
  }
}

void CborCursor::SkipItem() { Skip(0); }

ByteSpan CborCursor::encoding_since(const uint8_t* here) const {
  return ok() ? ByteSpan(here, at_) : ByteSpan();
}

void CborCursor::ReadItem(ByteSpan& encoding) {
  const uint8_t* const begin = here();
  SkipItem();
  encoding = encoding_since(begin);
}

Status CborCursor::Finish() {
  FailUnless(at_ == end_, Status::kCborTrailingBytes);
  return status_;
}

}  // namespace ota::formats
