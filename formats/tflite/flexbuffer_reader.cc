// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/flexbuffer_reader.h"

namespace ota::formats {
namespace {

// A packed type: two bits of width, six of type.
constexpr uint32_t kTypeInteger = 1;
constexpr uint32_t kTypeUnsigned = 2;
constexpr uint32_t kTypeMap = 9;
constexpr uint32_t kTypeBoolean = 26;

bool IsWidth(uint64_t width) { return width == 1 || width == 2 || width == 4 || width == 8; }

int64_t SignExtend(uint64_t value, uint32_t width) {
  const uint32_t unused_bits = 64 - 8 * width;
  return static_cast<int64_t>(value << unused_bits) >> unused_bits;
}

}  // namespace

Result<uint64_t> FlexMapReader::ReadNumber(uint32_t offset, uint32_t width) {
  if (!IsInBounds(offset, width, size_)) return Status::kModelMalformed;
  uint64_t value = 0;
  for (uint32_t i = 0; i < width; ++i) {
    value |= uint64_t{reader_.ReadU8(begin_ + offset + i)} << (8 * i);
  }
  OTA_TRY(reader_.status());
  return value;
}

Result<uint32_t> FlexMapReader::FollowReference(uint32_t offset, uint32_t width) {
  OTA_TRY(const uint64_t distance, ReadNumber(offset, width));
  if (distance > offset) return Status::kModelMalformed;
  return static_cast<uint32_t>(offset - distance);
}

Status FlexMapReader::Open() {
  if (size_ < 3) return Status::kModelMalformed;
  OTA_TRY(const uint64_t root_width, ReadNumber(size_ - 1, 1));
  OTA_TRY(const uint64_t packed_type, ReadNumber(size_ - 2, 1));
  if (packed_type >> 2 != kTypeMap) return Status::kModelMalformed;
  if (!IsWidth(root_width) || root_width > size_ - 2) return Status::kModelMalformed;
  const auto root = static_cast<uint32_t>(size_ - 2 - root_width);
  OTA_TRY(values_, FollowReference(root, static_cast<uint32_t>(root_width)));
  width_ = 1u << (packed_type & 3);
  if (values_ < 3 * width_) return Status::kModelMalformed;
  OTA_TRY(const uint64_t count, ReadNumber(values_ - width_, width_));
  OTA_TRY(const uint64_t key_width, ReadNumber(values_ - 2 * width_, width_));
  OTA_TRY(keys_, FollowReference(values_ - 3 * width_, width_));
  if (!IsWidth(key_width) || count > size_ / (width_ + 1)) return Status::kModelMalformed;
  count_ = static_cast<uint32_t>(count);
  key_width_ = static_cast<uint32_t>(key_width);
  const bool are_values_inside = IsInBounds(values_, uint64_t{count_} * (width_ + 1), size_);
  const bool are_keys_inside = IsInBounds(keys_, uint64_t{count_} * key_width_, size_);
  return are_values_inside && are_keys_inside ? Status::kOk : Status::kModelMalformed;
}

Result<bool> FlexMapReader::IsKeyAt(uint32_t offset, std::string_view key) {
  for (const char letter : key) {
    OTA_TRY(const uint64_t found, ReadNumber(offset, 1));
    if (found != static_cast<uint8_t>(letter)) return false;
    ++offset;
  }
  OTA_TRY(const uint64_t end, ReadNumber(offset, 1));
  return end == 0;
}

Result<int32_t> FlexMapReader::ReadValue(uint32_t index) {
  OTA_TRY(const uint64_t packed_type, ReadNumber(values_ + count_ * width_ + index, 1));
  OTA_TRY(const uint64_t bits, ReadNumber(values_ + index * width_, width_));
  const uint64_t type = packed_type >> 2;
  if (type != kTypeInteger && type != kTypeUnsigned && type != kTypeBoolean) {
    return Status::kModelMalformed;
  }
  const int64_t value =
      type == kTypeInteger ? SignExtend(bits, width_) : static_cast<int64_t>(bits);
  if (value < INT32_MIN || value > INT32_MAX) return Status::kModelMalformed;
  return static_cast<int32_t>(value);
}

Result<int32_t> FlexMapReader::FindInteger(std::string_view key) {
  for (uint32_t i = 0; i < count_; ++i) {
    OTA_TRY(const uint32_t offset, FollowReference(keys_ + i * key_width_, key_width_));
    OTA_TRY(const bool is_found, IsKeyAt(offset, key));
    if (is_found) return ReadValue(i);
  }
  return Status::kModelMalformed;
}

}  // namespace ota::formats
