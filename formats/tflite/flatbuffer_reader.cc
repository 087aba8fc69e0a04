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

bool FlatbufferReader::Require(bool is_met, Status status) {
  if (!is_met) Fail(status);
  return IsOk(status_);
}

void FlatbufferReader::Fail(Status status) {
  if (IsOk(status_)) status_ = status;
}

bool FlatbufferReader::RequireInFile(uint32_t position, uint32_t bytes) {
  return Require(IsInBounds(position, bytes, size_bytes_), Status::kModelTruncated);
}

const uint8_t* FlatbufferReader::Load(uint32_t position, uint32_t bytes) {
  if (!RequireInFile(position, bytes)) return kZeros;
  if (mapped_ != nullptr) return mapped_ + position;
  if (position < window_position_ ||
      !IsInBounds(position - window_position_, bytes, window_length_)) {
    const uint32_t length = std::min(kWindowBytes, size_bytes_ - position);
    window_position_ = position;
    window_length_ = 0;
    Fail(source_.Read(position, MutableByteSpan(window_, length)));
    if (!IsOk(status_)) return kZeros;
    window_length_ = length;
  }
  return window_ + (position - window_position_);
}

uint8_t FlatbufferReader::ReadU8(uint32_t position) { return *Load(position, 1); }

uint16_t FlatbufferReader::ReadU16(uint32_t position) { return LoadLe16(Load(position, 2)); }

uint32_t FlatbufferReader::ReadU32(uint32_t position) { return LoadLe32(Load(position, 4)); }

uint64_t FlatbufferReader::ReadU64(uint32_t position) { return LoadLe64(Load(position, 8)); }

float FlatbufferReader::ReadF32(uint32_t position) {
  return std::bit_cast<float>(ReadU32(position));
}

void FlatbufferReader::ReadBytes(uint32_t position, MutableByteSpan target) {
  Require(IsInBounds(position, target.size(), size_bytes_), Status::kModelTruncated);
  if (IsOk(status_)) status_ = source_.Read(position, target);
}

FlatTable FlatbufferReader::ReadTable(uint32_t position) {
  const uint32_t vtable = position - ReadU32(position);
  const bool is_vtable = position != 0 && vtable != 0 && vtable <= size_bytes_;
  if (!Require(is_vtable, Status::kModelMalformed)) return {};
  const uint32_t vtable_bytes = ReadU16(vtable);
  const uint32_t table_bytes = ReadU16(vtable + 2);
  Require(vtable_bytes >= 4 && vtable_bytes % 2 == 0 && table_bytes >= 4, Status::kModelMalformed);
  RequireInFile(vtable, vtable_bytes);
  if (!RequireInFile(position, table_bytes)) return {};
  return {position};
}

uint32_t FlatbufferReader::FindField(FlatTable table, uint32_t slot, uint32_t bytes) {
  if (!table.is_present()) return 0;
  const uint32_t vtable = table.position - ReadU32(table.position);
  const uint32_t entry = 4 + 2 * slot;
  if (entry >= ReadU16(vtable)) return 0;
  const uint32_t offset = ReadU16(vtable + entry);
  if (offset == 0) return 0;
  const bool is_inside = offset >= 4 && IsInBounds(offset, bytes, uint32_t{ReadU16(vtable + 2)});
  return Require(is_inside, Status::kModelMalformed) ? table.position + offset : 0;
}

uint32_t FlatbufferReader::Follow(uint32_t position) {
  const uint32_t distance = ReadU32(position);
  return RequireInFile(position, distance) ? position + distance : 0;
}

uint32_t FlatbufferReader::FindTarget(FlatTable table, uint32_t slot) {
  const uint32_t field = FindField(table, slot, 4);
  if (field == 0) return 0;
  const uint32_t target = Follow(field);
  return Require(target != field, Status::kModelMalformed) ? target : 0;
}

FlatVector FlatbufferReader::FindVector(FlatTable table, uint32_t slot, uint32_t element_bytes) {
  const uint32_t position = FindTarget(table, slot);
  if (position == 0) return {};
  const uint32_t count = ReadU32(position);
  const uint32_t begin = position + 4;
  const bool fits = IsInBounds(0u, count, (size_bytes_ - begin) / element_bytes);
  if (!Require(fits, Status::kModelTruncated)) return {};
  return {begin, count};
}

void FlatbufferReader::ReadFieldList(FlatTable table, const FlatField* fields, uint32_t* target) {
  for (; fields->kind != FlatKind::kEnd; ++fields) {
    const uint32_t slot = fields->slot;
    if (fields->kind == FlatKind::kU8) {
      *target++ = FieldU8(table, slot);
    } else if (fields->kind == FlatKind::kOne) {
      *target++ = 1;
    } else if (fields->kind < FlatKind::kOne) {
      *target++ = static_cast<uint32_t>(FieldI32(table, slot, fields->kind == FlatKind::kOneI32));
    } else if (fields->kind == FlatKind::kTable) {
      const uint32_t position = FindTarget(table, slot);
      *target++ = position == 0 ? 0 : ReadTable(position).position;
    } else {
      const FlatVector vector =
          FindVector(table, slot, 1u << (static_cast<uint32_t>(fields->kind) & 3));
      *target++ = vector.position;
      *target++ = vector.count;
    }
  }
}

FlatTable FlatbufferReader::ReadElementTable(const FlatVector& vector, uint32_t index) {
  Require(index < vector.count, Status::kModelMalformed);
  return ReadTable(Follow(vector.position + 4 * index));
}

int32_t FlatbufferReader::ReadElementI32(const FlatVector& vector, uint32_t index) {
  Require(index < vector.count, Status::kModelMalformed);
  return ReadI32(vector.position + 4 * index);
}

uint8_t FlatbufferReader::FieldU8(FlatTable table, uint32_t slot, uint8_t absent) {
  const uint32_t field = FindField(table, slot, 1);
  return field == 0 ? absent : ReadU8(field);
}

int32_t FlatbufferReader::FieldI32(FlatTable table, uint32_t slot, int32_t absent) {
  const uint32_t field = FindField(table, slot, 4);
  return field == 0 ? absent : ReadI32(field);
}

float FlatbufferReader::FieldF32(FlatTable table, uint32_t slot, float absent) {
  const uint32_t field = FindField(table, slot, 4);
  return field == 0 ? absent : ReadF32(field);
}

}  // namespace ota::formats
