// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/flatbuffer_reader.h"

#include <algorithm>
#include <bit>

namespace ota::formats {

namespace {

constexpr uint8_t kZeros[8] = {};

}  // namespace

FlatbufferReader::FlatbufferReader(ByteSource& source)
    : source_(source), size_bytes_(source.size_bytes()) {
  const auto mapped = source.Map();
  if (mapped.has_value()) mapped_ = mapped->data();
}

void FlatbufferReader::Fail(Status status) {
  if (IsOk(status_)) status_ = status;
}

const uint8_t* FlatbufferReader::Load(uint32_t position, uint32_t bytes) {
  if (!IsOk(status_)) return nullptr;
  if (!IsInBounds(position, bytes, size_bytes_)) {
    Fail(Status::kModelTruncated);
    return nullptr;
  }
  if (mapped_ != nullptr) return mapped_ + position;
  if (position < window_position_ ||
      !IsInBounds(position - window_position_, bytes, window_length_)) {
    window_length_ = 0;
    const uint32_t length = std::min(kWindowBytes, size_bytes_ - position);
    const Status status = source_.Read(position, MutableByteSpan(window_, length));
    if (!IsOk(status)) {
      Fail(status);
      return nullptr;
    }
    window_position_ = position;
    window_length_ = length;
  }
  return window_ + (position - window_position_);
}

uint8_t FlatbufferReader::ReadU8(uint32_t position) {
  const uint8_t* const at = Load(position, 1);
  return at == nullptr ? kZeros[0] : *at;
}

uint16_t FlatbufferReader::ReadU16(uint32_t position) {
  const uint8_t* const at = Load(position, 2);
  return LoadLe16(at == nullptr ? kZeros : at);
}

uint32_t FlatbufferReader::ReadU32(uint32_t position) {
  const uint8_t* const at = Load(position, 4);
  return LoadLe32(at == nullptr ? kZeros : at);
}

uint64_t FlatbufferReader::ReadU64(uint32_t position) {
  const uint8_t* const at = Load(position, 8);
  return LoadLe64(at == nullptr ? kZeros : at);
}

float FlatbufferReader::ReadF32(uint32_t position) {
  return std::bit_cast<float>(ReadU32(position));
}

void FlatbufferReader::ReadBytes(uint32_t position, MutableByteSpan target) {
  if (!IsOk(status_)) return;
  if (!IsInBounds(position, target.size(), size_bytes_)) return Fail(Status::kModelTruncated);
  const Status status = source_.Read(position, target);
  if (!IsOk(status)) Fail(status);
}

FlatTable FlatbufferReader::ReadTable(uint32_t position) {
  const int32_t distance = ReadI32(position);
  const int64_t vtable = int64_t{position} - distance;
  if (!IsOk(status_)) return {};
  if (position == 0 || vtable <= 0 || vtable > int64_t{size_bytes_}) {
    Fail(Status::kModelMalformed);
    return {};
  }
  FlatTable table{position, static_cast<uint32_t>(vtable), 0};
  table.vtable_bytes = ReadU16(table.vtable);
  const uint16_t table_bytes = ReadU16(table.vtable + 2);
  if (!IsOk(status_)) return {};
  if (table.vtable_bytes < 4 || table.vtable_bytes % 2 != 0 || table_bytes < 4) {
    Fail(Status::kModelMalformed);
    return {};
  }
  if (!IsInBounds(table.vtable, table.vtable_bytes, size_bytes_) ||
      !IsInBounds(position, table_bytes, size_bytes_)) {
    Fail(Status::kModelTruncated);
    return {};
  }
  return table;
}

uint32_t FlatbufferReader::FindField(const FlatTable& table, uint32_t slot, uint32_t bytes) {
  const uint32_t entry = 4 + 2 * slot;
  if (!table.is_present() || entry + 2 > table.vtable_bytes) return 0;
  const uint32_t offset = ReadU16(table.vtable + entry);
  if (offset == 0) return 0;
  const uint32_t table_bytes = ReadU16(table.vtable + 2);
  if (!IsOk(status_)) return 0;
  if (offset < 4 || !IsInBounds(offset, bytes, table_bytes)) {
    Fail(Status::kModelMalformed);
    return 0;
  }
  return table.position + offset;
}

uint32_t FlatbufferReader::FindTarget(const FlatTable& table, uint32_t slot) {
  const uint32_t field = FindField(table, slot, 4);
  if (field == 0) return 0;
  const uint32_t distance = ReadU32(field);
  if (!IsOk(status_)) return 0;
  if (distance == 0 || !IsInBounds(field, distance, size_bytes_)) {
    Fail(distance == 0 ? Status::kModelMalformed : Status::kModelTruncated);
    return 0;
  }
  return field + distance;
}

FlatTable FlatbufferReader::FindTable(const FlatTable& table, uint32_t slot) {
  const uint32_t position = FindTarget(table, slot);
  return position == 0 ? FlatTable{} : ReadTable(position);
}

FlatVector FlatbufferReader::FindVector(const FlatTable& table, uint32_t slot,
                                        uint32_t element_bytes) {
  const uint32_t position = FindTarget(table, slot);
  if (position == 0) return {};
  const uint32_t count = ReadU32(position);
  if (!IsOk(status_)) return {};
  if (!IsInBounds(uint64_t{position} + 4, uint64_t{count} * element_bytes, size_bytes_)) {
    Fail(Status::kModelTruncated);
    return {};
  }
  return {position + 4, count};
}

FlatTable FlatbufferReader::ReadElementTable(const FlatVector& vector, uint32_t index) {
  if (index >= vector.count) {
    Fail(Status::kModelMalformed);
    return {};
  }
  const uint32_t position = vector.position + 4 * index;
  const uint32_t distance = ReadU32(position);
  if (!IsOk(status_)) return {};
  if (!IsInBounds(position, distance, size_bytes_)) {
    Fail(Status::kModelTruncated);
    return {};
  }
  return ReadTable(position + distance);
}

int32_t FlatbufferReader::ReadElementI32(const FlatVector& vector, uint32_t index) {
  if (index >= vector.count) {
    Fail(Status::kModelMalformed);
    return 0;
  }
  return ReadI32(vector.position + 4 * index);
}

uint8_t FlatbufferReader::FieldU8(const FlatTable& table, uint32_t slot, uint8_t absent) {
  const uint32_t field = FindField(table, slot, 1);
  return field == 0 ? absent : ReadU8(field);
}

int32_t FlatbufferReader::FieldI32(const FlatTable& table, uint32_t slot, int32_t absent) {
  const uint32_t field = FindField(table, slot, 4);
  return field == 0 ? absent : ReadI32(field);
}

uint64_t FlatbufferReader::FieldU64(const FlatTable& table, uint32_t slot) {
  const uint32_t field = FindField(table, slot, 8);
  return field == 0 ? 0 : ReadU64(field);
}

float FlatbufferReader::FieldF32(const FlatTable& table, uint32_t slot, float absent) {
  const uint32_t field = FindField(table, slot, 4);
  return field == 0 ? absent : ReadF32(field);
}

}  // namespace ota::formats
