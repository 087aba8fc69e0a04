// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_reader.h"

#include <algorithm>
#include <array>

namespace ota::formats {
namespace {

constexpr uint8_t kSimpleFalse = 20;
constexpr uint8_t kSimpleTrue = 21;
constexpr uint8_t kSimpleNull = 22;

bool IsBefore(ByteSpan first, ByteSpan second) {
  return std::lexicographical_compare(first.begin(), first.end(), second.begin(), second.end());
}

// Bytes of the UTF-8 sequence that `lead` opens, 0 if none may start so (RFC 3629).
size_t Utf8SequenceBytes(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Overlong forms, surrogates and code points above 10FFFF show in the second byte.
bool IsSecondByteAllowed(uint8_t lead, uint8_t second) {
  if (lead == 0xE0) return second >= 0xA0;
  if (lead == 0xED) return second <= 0x9F;
  if (lead == 0xF0) return second >= 0x90;
  if (lead == 0xF4) return second <= 0x8F;
  return true;
}

bool IsUtf8(ByteSpan text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8SequenceBytes(text[at]);
    if (length == 0 || !IsInBounds(at, length, text.size())) return false;
    for (size_t i = 1; i < length; ++i) {
      if ((text[at + i] & 0xC0) != 0x80) return false;
    }
    if (length > 1 && !IsSecondByteAllowed(text[at], text[at + 1])) return false;
    at += length;
  }
  return true;
}

// Walks over one item. What has been opened and not yet ended is kept in a fixed number of levels.
class ItemWalk {
 public:
  explicit ItemWalk(ByteSpan bytes) : bytes_(bytes) {}

  bool is_done() const { return depth_ == 0; }

  // The item at hand opens `item_count` others.
  Status Open(uint64_t item_count, bool is_map) {
    if (depth_ == levels_.size()) return Status::kCborTooDeep;
    if (item_count > UINT32_MAX) return Status::kCborMalformed;
    levels_[depth_++] = {static_cast<uint32_t>(item_count), is_map, 0, 0, 0};
    return Status::kOk;
  }

  // An item is about to begin: in a map it may be a key.
  void NoteBegin(size_t begin) {
    if (depth_ > 0) levels_[depth_ - 1].item_begin = begin;
  }

  // An item has ended, and with it perhaps some that hold it.
  Status Close(size_t end) {
    while (depth_ > 0) {
      Level& level = levels_[depth_ - 1];
      if (level.is_map && level.items_left % 2 == 0) OTA_TRY(AcceptKey(level, end));
      if (--level.items_left != 0) return Status::kOk;
      --depth_;
    }
    return Status::kOk;
  }

 private:
  struct Level {
    uint32_t items_left;
    bool is_map;
    size_t item_begin;
    size_t key_begin;
    size_t key_end;
  };

  Status AcceptKey(Level& level, size_t end) {
    const ByteSpan last = bytes_.subspan(level.key_begin, level.key_end - level.key_begin);
    const ByteSpan key = bytes_.subspan(level.item_begin, end - level.item_begin);
    if (!last.empty() && !IsBefore(last, key)) return Status::kCborNotDeterministic;
    level.key_begin = level.item_begin;
    level.key_end = end;
    return Status::kOk;
  }

  ByteSpan bytes_;
  std::array<Level, kCborDepthMax> levels_ = {};
  size_t depth_ = 0;
};

}  // namespace

Result<CborReader::Head> CborReader::ParseHead(size_t at) const {
  if (at >= bytes_.size()) return Status::kCborMalformed;
  const uint8_t first = bytes_[at];
  Head head = {static_cast<CborType>(first >> 5), static_cast<uint8_t>(first & 31), 0, at + 1};
  head.argument = head.info;
  if (head.info < 24) return head;
  if (head.info > 27) {
    return head.info == 31 ? Status::kCborNotDeterministic : Status::kCborMalformed;
  }
  const size_t width = size_t{1} << (head.info - 24);
  if (!IsInBounds(head.end, width, bytes_.size())) return Status::kCborMalformed;
  head.argument = 0;
  for (size_t i = 0; i < width; ++i) head.argument = head.argument << 8 | bytes_[head.end + i];
  head.end += width;
  if (head.type == CborType::kSimple) return head;
  const uint64_t shorter_max = width == 1 ? 23 : UINT64_MAX >> (64 - 4 * width);
  return head.argument > shorter_max ? Result<Head>(head) : Status::kCborNotDeterministic;
}

Result<CborReader::Head> CborReader::ExpectHead(CborType type) const {
  OTA_TRY(const Head head, ParseHead(position_));
  if (head.type != type) return Status::kCborTypeUnexpected;
  return head;
}

Result<CborType> CborReader::PeekType() const {
  OTA_TRY(const Head head, ParseHead(position_));
  return head.type;
}

Result<uint64_t> CborReader::ReadUnsigned(uint64_t value_max) {
  OTA_TRY(const Head head, ExpectHead(CborType::kUnsigned));
  if (head.argument > value_max) return Status::kCborOutOfRange;
  position_ = head.end;
  return head.argument;
}

Result<int64_t> CborReader::ReadInteger() {
  OTA_TRY(const Head head, ParseHead(position_));
  if (head.type != CborType::kUnsigned && head.type != CborType::kNegative) {
    return Status::kCborTypeUnexpected;
  }
  if (head.argument > INT64_MAX) return Status::kCborOutOfRange;
  position_ = head.end;
  const auto value = static_cast<int64_t>(head.argument);
  return head.type == CborType::kUnsigned ? value : -1 - value;
}

Result<ByteSpan> CborReader::ReadString(CborType type, size_t bytes_max) {
  OTA_TRY(const Head head, ExpectHead(type));
  if (!IsInBounds(head.end, head.argument, bytes_.size())) return Status::kCborMalformed;
  if (head.argument > bytes_max) return Status::kCborOutOfRange;
  const ByteSpan string = bytes_.subspan(head.end, static_cast<size_t>(head.argument));
  if (type == CborType::kText && !IsUtf8(string)) return Status::kCborMalformed;
  position_ = head.end + string.size();
  return string;
}

Result<ByteSpan> CborReader::ReadBytes(size_t bytes_max) {
  return ReadString(CborType::kBytes, bytes_max);
}

Result<std::string_view> CborReader::ReadText(size_t bytes_max) {
  OTA_TRY(const ByteSpan text, ReadString(CborType::kText, bytes_max));
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

Result<bool> CborReader::ReadBool() {
  OTA_TRY(const Head head, ExpectHead(CborType::kSimple));
  if (head.info != kSimpleFalse && head.info != kSimpleTrue) return Status::kCborTypeUnexpected;
  position_ = head.end;
  return head.info == kSimpleTrue;
}

Status CborReader::ReadNull() {
  OTA_TRY(const Head head, ExpectHead(CborType::kSimple));
  if (head.info != kSimpleNull) return Status::kCborTypeUnexpected;
  position_ = head.end;
  return Status::kOk;
}

Result<uint64_t> CborReader::ReadTag() {
  OTA_TRY(const Head head, ExpectHead(CborType::kTag));
  position_ = head.end;
  return head.argument;
}

Result<uint32_t> CborReader::ReadCount(CborType type, uint32_t count_max) {
  OTA_TRY(const Head head, ExpectHead(type));
  const uint64_t items_each = type == CborType::kMap ? 2 : 1;
  if (head.argument > (bytes_.size() - head.end) / items_each) return Status::kCborMalformed;
  if (head.argument > count_max) return Status::kCborOutOfRange;
  position_ = head.end;
  return static_cast<uint32_t>(head.argument);
}

Result<uint32_t> CborReader::ReadArrayHead(uint32_t count_max) {
  return ReadCount(CborType::kArray, count_max);
}

Result<uint32_t> CborReader::ReadMapHeadOfPart() {
  OTA_TRY(const Head head, ExpectHead(CborType::kMap));
  if (head.argument > UINT32_MAX) return Status::kCborOutOfRange;
  position_ = head.end;
  return static_cast<uint32_t>(head.argument);
}

Result<uint64_t> CborReader::ReadBytesHead() {
  OTA_TRY(const Head head, ExpectHead(CborType::kBytes));
  position_ = head.end;
  return head.argument;
}

Result<ByteSpan> CborReader::ReadItem() {
  ItemWalk walk(bytes_);
  size_t at = position_;
  do {
    OTA_TRY(const Head head, ParseHead(at));
    walk.NoteBegin(at);
    at = head.end;
    uint64_t inner_count = 0;
    if (head.type == CborType::kBytes || head.type == CborType::kText) {
      if (!IsInBounds(at, head.argument, bytes_.size())) return Status::kCborMalformed;
      const ByteSpan string = bytes_.subspan(at, static_cast<size_t>(head.argument));
      if (head.type == CborType::kText && !IsUtf8(string)) return Status::kCborMalformed;
      at += string.size();
    } else if (head.type == CborType::kArray || head.type == CborType::kMap) {
      if (head.argument > bytes_.size()) return Status::kCborMalformed;
      inner_count = head.type == CborType::kMap ? 2 * head.argument : head.argument;
    } else if (head.type == CborType::kTag) {
      inner_count = 1;
    } else if (head.type == CborType::kSimple) {
      if (head.info < kSimpleFalse || head.info > kSimpleNull) return Status::kCborTypeUnexpected;
    }
    if (inner_count == 0) {
      OTA_TRY(walk.Close(at));
    } else {
      OTA_TRY(walk.Open(inner_count, head.type == CborType::kMap));
    }
  } while (!walk.is_done());
  const ByteSpan item = bytes_.subspan(position_, at - position_);
  position_ = at;
  return item;
}

Status CborReader::Finish() const { return is_at_end() ? Status::kOk : Status::kCborTrailingBytes; }

Result<CborMapReader> CborMapReader::Open(CborReader& reader, uint32_t pairs_max) {
  OTA_TRY(const uint32_t pairs, reader.ReadCount(CborType::kMap, pairs_max));
  return CborMapReader(reader, pairs);
}

Status CborMapReader::AcceptKey(size_t key_begin) {
  const ByteSpan key = reader_->bytes_.subspan(key_begin, reader_->position_ - key_begin);
  if (!last_key_.empty() && !IsBefore(last_key_, key)) {
    reader_->position_ = key_begin;
    return Status::kCborNotDeterministic;
  }
  last_key_ = key;
  --pairs_left_;
  return Status::kOk;
}

Result<int64_t> CborMapReader::ReadIntegerKey() {
  if (!has_next()) return Status::kWrongState;
  const size_t begin = reader_->position_;
  OTA_TRY(const int64_t key, reader_->ReadInteger());
  OTA_TRY(AcceptKey(begin));
  return key;
}

Result<std::string_view> CborMapReader::ReadTextKey(size_t bytes_max) {
  if (!has_next()) return Status::kWrongState;
  const size_t begin = reader_->position_;
  OTA_TRY(const std::string_view key, reader_->ReadText(bytes_max));
  OTA_TRY(AcceptKey(begin));
  return key;
}

Result<ByteSpan> CborMapReader::ReadBytesKey(size_t bytes_max) {
  if (!has_next()) return Status::kWrongState;
  const size_t begin = reader_->position_;
  OTA_TRY(const ByteSpan key, reader_->ReadBytes(bytes_max));
  OTA_TRY(AcceptKey(begin));
  return key;
}

}  // namespace ota::formats
