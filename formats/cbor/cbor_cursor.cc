// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_cursor.h"

#include <algorithm>

namespace ota::formats {
namespace {

constexpr uint32_t kSimpleFalse = 20;
constexpr uint32_t kSimpleTrue = 21;
constexpr uint32_t kSimpleNull = 22;

constexpr uint32_t BitOf(CborType type) { return 1u << static_cast<uint32_t>(type); }
constexpr uint32_t kAnyType = 0xFF;

bool IsBefore(ByteSpan first, ByteSpan second) {
  const size_t common = std::min(first.size(), second.size());
  for (size_t i = 0; i < common; ++i) {
    if (first[i] != second[i]) return first[i] < second[i];
  }
  return first.size() < second.size();
}

// The least code point that a sequence of so many bytes may stand for (RFC 3629).
constexpr uint32_t kCodePointMin[] = {0, 0, 0x80, 0x800, 0x10000};
constexpr uint32_t kCodePointLast = 0x10FFFF;

bool IsUtf8(ByteSpan text) {
  for (size_t at = 0; at < text.size();) {
    uint32_t point = text[at++];
    if (point < 0x80) continue;
    size_t length = 2;
    for (uint32_t bit = 0x20; (point & bit) != 0 && length <= 4; bit >>= 1) ++length;
    if ((point & 0x40) == 0 || length > 4) return false;
    point &= 0x7Fu >> length;
    for (size_t i = 1; i < length; ++i) {
      if (at == text.size() || (text[at] & 0xC0) != 0x80) return false;
      point = point << 6 | (text[at++] & 0x3Fu);
    }
    const bool is_surrogate = point >> 11 == 0xD800 >> 11;
    if (point < kCodePointMin[length] || point > kCodePointLast || is_surrogate) return false;
  }
  return true;
}

}  // namespace

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
  const uint32_t shorter_max = width == 1 ? 23 : UINT32_MAX >> (width == 2 ? 24 : 16);
  const bool is_needed = high != 0 || (width != 8 && low > shorter_max);
  if (!is_needed) {
    Fail(Status::kCborNotDeterministic);
    return 0;
  }
  return uint64_t{high} << 32 | low;
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

uint64_t CborCursor::ReadUnsigned() { return ReadHead(BitOf(CborType::kUnsigned)); }

uint32_t CborCursor::ReadNumber(uint32_t value_max) {
  const uint64_t value = ReadUnsigned();
  if (value <= value_max) return static_cast<uint32_t>(value);
  Fail(Status::kCborOutOfRange);
  return 0;
}

int32_t CborCursor::ReadInteger() {
  const uint64_t argument = ReadHead(BitOf(CborType::kUnsigned) | BitOf(CborType::kNegative));
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
  FailUnless(ReadHead(BitOf(CborType::kSimple)) == kSimpleNull, Status::kCborTypeUnexpected);
}

uint64_t CborCursor::ReadTag() { return ReadHead(BitOf(CborType::kTag)); }

uint64_t CborCursor::ReadBytesHead() { return ReadHead(BitOf(CborType::kBytes)); }

uint32_t CborCursor::ReadArrayHead(uint32_t count_max) {
  const uint64_t count = ReadHead(BitOf(CborType::kArray));
  if (count > static_cast<size_t>(end_ - at_)) {
    Fail(Status::kCborMalformed);
  } else if (count > count_max) {
    Fail(Status::kCborOutOfRange);
  }
  return ok() ? static_cast<uint32_t>(count) : 0;
}

void CborCursor::ReadArrayOf(uint32_t count, Status otherwise) {
  FailUnless(ReadArrayHead() == count, otherwise);
}

CborCursor::Map CborCursor::BeginMap() {
  const uint64_t pairs = ReadHead(BitOf(CborType::kMap));
  if (pairs > static_cast<size_t>(end_ - at_) / 2) Fail(Status::kCborMalformed);
  return {ok() ? static_cast<uint32_t>(pairs) : 0, 0, false};
}

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

void CborCursor::SkipPairs(uint64_t count, uint32_t depth) {
  ByteSpan last_key;
  for (; count != 0 && ok(); --count) {
    const uint8_t* const key_begin = at_;
    Skip(depth);
    const ByteSpan key(key_begin, at_);
    FailUnless(last_key.empty() || IsBefore(last_key, key), Status::kCborNotDeterministic);
    last_key = key;
    Skip(depth);
  }
}

// Calls itself at most kCborDepthMax times.
void CborCursor::Skip(uint32_t depth) {
  uint64_t argument = ReadHead(kAnyType);
  const auto type = static_cast<CborType>(head_type_);
  if (!ok() || type <= CborType::kNegative) return;
  if (type == CborType::kSimple) {
    return FailUnless(argument >= kSimpleFalse && argument <= kSimpleNull,
                      Status::kCborTypeUnexpected);
  }
  const auto left = static_cast<size_t>(end_ - at_);
  if (type <= CborType::kText) {
    if (argument > left) return Fail(Status::kCborMalformed);
    const ByteSpan string(at_, static_cast<size_t>(argument));
    if (type == CborType::kText && !IsUtf8(string)) return Fail(Status::kCborMalformed);
    at_ += string.size();
    return;
  }
  if (type == CborType::kTag) argument = 1;
  if (argument > left) return Fail(Status::kCborMalformed);
  if (argument != 0 && depth == kCborDepthMax) return Fail(Status::kCborTooDeep);
  if (type == CborType::kMap) return SkipPairs(argument, depth + 1);
  for (; argument != 0 && ok(); --argument) Skip(depth + 1);
}

void CborCursor::SkipItem() { Skip(0); }

void CborCursor::ReadItem(ByteSpan& encoding) {
  const uint8_t* const begin = at_;
  Skip(0);
  encoding = ok() ? ByteSpan(begin, at_) : ByteSpan();
}

Status CborCursor::Finish() {
  FailUnless(at_ == end_, Status::kCborTrailingBytes);
  return status_;
}

}  // namespace ota::formats
