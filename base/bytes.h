// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/result.h"

// Bytes that cross a boundary: spans of them, the one bounds check, and readers and writers of
// fixed endianness. Nothing here casts a pointer into the bytes, so alignment never matters.

namespace ota {

using ByteSpan = std::span<const uint8_t>;
using MutableByteSpan = std::span<uint8_t>;

/// The one bounds check: whether [offset, offset + length) lies within [0, capacity). Cannot
/// overflow, whatever the arguments: they are compared as the widest of their types, unsigned.
/// Every access by a foreign offset goes through it.
template <std::integral Offset, std::integral Length, std::integral Capacity>
constexpr bool IsInBounds(Offset offset, Length length, Capacity capacity) {
  using Widest = std::make_unsigned_t<std::common_type_t<Offset, Length, Capacity>>;
  const auto limit = static_cast<Widest>(capacity);
  const auto count = static_cast<Widest>(length);
  return count <= limit && static_cast<Widest>(offset) <= limit - count;
}

/// Whether both hold the same bytes. Not for secrets: see crypto::AreEqualInConstantTime.
bool AreEqual(ByteSpan first, ByteSpan second);

/// Where one instruction loads from any address, it is smaller than a call.
#ifdef __ARM_FEATURE_UNALIGNED
#define OTA_IN_PLACE [[gnu::always_inline]]
#else
#define OTA_IN_PLACE
#endif

/// Loads and stores at a pointer that the caller has already bounds-checked.
OTA_IN_PLACE constexpr uint16_t LoadLe16(const uint8_t* at) {
  return static_cast<uint16_t>(at[0] | (uint32_t{at[1]} << 8));
}
OTA_IN_PLACE constexpr uint32_t LoadLe32(const uint8_t* at) {
  return uint32_t{at[0]} | (uint32_t{at[1]} << 8) | (uint32_t{at[2]} << 16) |
         (uint32_t{at[3]} << 24);
}
OTA_IN_PLACE constexpr uint64_t LoadLe64(const uint8_t* at) {
  return uint64_t{LoadLe32(at)} | (uint64_t{LoadLe32(at + 4)} << 32);
}
constexpr uint16_t LoadBe16(const uint8_t* at) {
  return static_cast<uint16_t>((uint32_t{at[0]} << 8) | at[1]);
}
constexpr uint32_t LoadBe32(const uint8_t* at) {
  return (uint32_t{at[0]} << 24) | (uint32_t{at[1]} << 16) | (uint32_t{at[2]} << 8) |
         uint32_t{at[3]};
}
constexpr uint64_t LoadBe64(const uint8_t* at) {
  return (uint64_t{LoadBe32(at)} << 32) | uint64_t{LoadBe32(at + 4)};
}
constexpr void StoreLe16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value);
  at[1] = static_cast<uint8_t>(value >> 8);
}
OTA_IN_PLACE constexpr void StoreLe32(uint8_t* at, uint32_t value) {
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::memcpy(at, &value, sizeof value);  // one instruction; the bytes one by one are not joined
    return;
  }
  at[0] = static_cast<uint8_t>(value);
  at[1] = static_cast<uint8_t>(value >> 8);
  at[2] = static_cast<uint8_t>(value >> 16);
  at[3] = static_cast<uint8_t>(value >> 24);
}
constexpr void StoreLe64(uint8_t* at, uint64_t value) {
  StoreLe32(at, static_cast<uint32_t>(value));
  StoreLe32(at + 4, static_cast<uint32_t>(value >> 32));
}
constexpr void StoreBe16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
OTA_IN_PLACE constexpr void StoreBe32(uint8_t* at, uint32_t value) {
  StoreLe32(at, __builtin_bswap32(value));
}
constexpr void StoreBe64(uint8_t* at, uint64_t value) {
  StoreBe32(at, static_cast<uint32_t>(value >> 32));
  StoreBe32(at + 4, static_cast<uint32_t>(value));
}

/// Reads values one after the other. The bytes must outlive the reader.
/// Every Read returns kEndOfInput, and moves nothing, when fewer bytes remain than it needs.
class ByteReader {
 public:
  explicit constexpr ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  constexpr size_t position() const { return position_; }
  constexpr size_t remaining() const { return bytes_.size() - position_; }

  constexpr Result<ByteSpan> ReadBytes(size_t length) {
    if (!IsInBounds(position_, length, bytes_.size())) return Status::kEndOfInput;
    const ByteSpan read = bytes_.subspan(position_, length);
    position_ += length;
    return read;
  }
  constexpr Result<uint8_t> ReadU8() {
    return Read<uint8_t, 1>([](auto* at) { return *at; });
  }
  constexpr Result<uint16_t> ReadLe16() { return Read<uint16_t, 2>(LoadLe16); }
  constexpr Result<uint32_t> ReadLe32() { return Read<uint32_t, 4>(LoadLe32); }
  constexpr Result<uint64_t> ReadLe64() { return Read<uint64_t, 8>(LoadLe64); }
  constexpr Result<uint16_t> ReadBe16() { return Read<uint16_t, 2>(LoadBe16); }
  constexpr Result<uint32_t> ReadBe32() { return Read<uint32_t, 4>(LoadBe32); }
  constexpr Result<uint64_t> ReadBe64() { return Read<uint64_t, 8>(LoadBe64); }

 private:
  template <typename T, size_t kBytes, typename Load>
  constexpr Result<T> Read(Load load) {
    OTA_TRY(const ByteSpan bytes, ReadBytes(kBytes));
    return static_cast<T>(load(bytes.data()));
  }

  ByteSpan bytes_;
  size_t position_ = 0;
};

/// Writes values one after the other into the caller's bytes, which must outlive the writer.
/// Every Write returns kBufferTooSmall, and writes nothing, when the rest is too short.
class ByteWriter {
 public:
  explicit constexpr ByteWriter(MutableByteSpan bytes) : bytes_(bytes) {}

  constexpr size_t position() const { return position_; }
  constexpr ByteSpan written() const { return bytes_.first(position_); }

  constexpr Status WriteBytes(ByteSpan bytes) {
    OTA_TRY(uint8_t* const at, Advance(bytes.size()));
    for (size_t i = 0; i < bytes.size(); ++i) at[i] = bytes[i];
    return Status::kOk;
  }
  constexpr Status WriteU8(uint8_t value) { return WriteBytes(ByteSpan(&value, 1)); }
  constexpr Status WriteLe16(uint16_t value) { return Write<2>(StoreLe16, value); }
  constexpr Status WriteLe32(uint32_t value) { return Write<4>(StoreLe32, value); }
  constexpr Status WriteLe64(uint64_t value) { return Write<8>(StoreLe64, value); }
  constexpr Status WriteBe16(uint16_t value) { return Write<2>(StoreBe16, value); }
  constexpr Status WriteBe32(uint32_t value) { return Write<4>(StoreBe32, value); }
  constexpr Status WriteBe64(uint64_t value) { return Write<8>(StoreBe64, value); }

 private:
  constexpr Result<uint8_t*> Advance(size_t length) {
    if (!IsInBounds(position_, length, bytes_.size())) return Status::kBufferTooSmall;
    uint8_t* const at = bytes_.data() + position_;
    position_ += length;
    return at;
  }
  template <size_t kBytes, typename Store, typename T>
  constexpr Status Write(Store store, T value) {
    OTA_TRY(uint8_t* const at, Advance(kBytes));
    store(at, value);
    return Status::kOk;
  }

  MutableByteSpan bytes_;
  size_t position_ = 0;
};

}  // namespace ota
