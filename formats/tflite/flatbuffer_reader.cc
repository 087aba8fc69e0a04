// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/flatbuffer_reader.h"

#include <algorithm>
#include <bit>

namespace ota::formats {

namespace {

constexpr uint8_t kZeros[8] = {};

}  // namespace

FlatbufferReader::FlatbufferReader(ByteSource& source)
    : source_(source), mapped_(source.mapped_bytes()), size_bytes_(source.size_bytes()) {}

void FlatbufferReader::Fail(Status status) {
  if (IsOk(status_)) status_ = status;
}

uint32_t FlatbufferReader::Refuse() {
  Fail(Status::kModelMalformed);
  return 0;
}

bool FlatbufferReader::RequireInFile(uint32_t position, uint32_t bytes) {
  if (!IsInBounds(position, bytes, size_bytes_)) Fail(Status::kModelTruncated);
  return IsOk(status_);
}

const uint8_t* FlatbufferReader::Load(uint32_t position, uint32_t bytes) {
  if (!RequireInFile(position, bytes)) return kZeros;
  if (mapped_ != nullptr) return mapped_ + position;
  if (position < window_position_ ||
      !IsInBounds(position - window_position_, bytes, window_length_)) {
    const uint32_t length = std::min(kWindowBytes, size_bytes_ - position);
    window_position_ = position;
    window_length_ = 0;
    status_ = source_.Read(position, MutableByteSpan(window_, length));
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
  if (!IsInBounds(position, target.size(), size_bytes_)) Fail(Status::kModelTruncated);
  if (IsOk(status_)) status_ = source_.Read(position, target);
}

FlatTable FlatbufferReader::ReadTable(uint32_t position) {
  const uint32_t vtable = position - ReadU32(position);
  if (position == 0 || vtable - 1 >= size_bytes_) return {Refuse()};
  const uint32_t vtable_bytes = ReadU16(vtable);
  const uint32_t table_bytes = ReadU16(vtable + 2);
  if (vtable_bytes < 4 || vtable_bytes % 2 != 0 || table_bytes < 4) return {Refuse()};
  RequireInFile(vtable, vtable_bytes);
  return {RequireInFile(position, table_bytes) ? position : 0};
}

uint32_t FlatbufferReader::FindField(FlatTable table, uint32_t slot, uint32_t bytes) {
  if (!table.is_present()) return 0;
  const uint32_t vtable = table.position - ReadU32(table.position);
  const uint32_t entry = 4 + 2 * slot;
  if (entry >= ReadU16(vtable)) return 0;
  const uint32_t offset = ReadU16(vtable + entry);
  if (offset == 0) return 0;
  const uint32_t table_bytes = ReadU16(vtable + 2);
  if (offset < 4 || !IsInBounds(offset, bytes, table_bytes)) return Refuse();
  return table.position + offset;
}

uint32_t FlatbufferReader::Follow(uint32_t position) {
  const uint32_t distance = ReadU32(position);
  return RequireInFile(position, distance) ? position + distance : 0;
}

uint32_t FlatbufferReader::FollowField(uint32_t field) {
  const uint32_t target = field == 0 ? 0 : Follow(field);
  return target != 0 && target == field ? Refuse() : target;
}

void FlatbufferReader::ReadVector(uint32_t position, uint32_t element_bytes, FlatVector& vector) {
  vector = {};
  if (position == 0) return;
  const uint32_t count = ReadU32(position);
  vector.position = position + 4;
  const uint32_t count_max = (size_bytes_ - vector.position) / element_bytes;
  if (!IsInBounds(0u, count, count_max)) return Fail(Status::kModelTruncated);
  vector.count = count;
}

FlatVector FlatbufferReader::FindVector(FlatTable table, uint32_t slot, uint32_t element_bytes) {
  FlatVector vector;
  ReadVector(FindTarget(table, slot), element_bytes, vector);
  return vector;
}

void FlatbufferReader::ReadFieldList(FlatTable table, const FlatField* fields, uint32_t* target) {
  for (; fields->kind != FlatKind::kEnd; ++fields) {
    const FlatKind kind = fields->kind;
    const uint32_t bytes = kind == FlatKind::kU8 ? 1 : 4;
    const uint32_t field = FindField(table, fields->slot, bytes);
    if (kind >= FlatKind::kBytes) {
      ReadVector(FollowField(field), 1u << (static_cast<uint32_t>(kind) & 3),
                 *reinterpret_cast<FlatVector*>(target));
      target += 2;
      continue;
    }
    uint32_t value = kind == FlatKind::kOneI32 || kind == FlatKind::kOne ? 1 : 0;
    if (field != 0 && kind != FlatKind::kOne) {
      if (kind == FlatKind::kTable) {
        value = ReadTable(FollowField(field)).position;
      } else {
        value = kind == FlatKind::kU8 ? ReadU8(field) : ReadU32(field);
      }
    }
    *target++ = value;
  }
}

FlatTable FlatbufferReader::ReadElementTable(const FlatVector& vector, uint32_t index) {
  if (index >= vector.count) Refuse();
  return ReadTable(Follow(vector.position + 4 * index));
}

int32_t FlatbufferReader::ReadElementI32(const FlatVector& vector, uint32_t index) {
  if (index >= vector.count) Refuse();
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
