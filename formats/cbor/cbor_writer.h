// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ota::formats {

/// Writes deterministic CBOR (RFC 8949, section 4.2.1) into the caller's bytes, which must outlive
/// the writer. Heads are always the shortest; the caller writes map keys in their order.
///
/// The calls themselves cannot fail: what does not fit is counted, not written, and Finish() tells.
/// So a writer over no bytes at all says how many a structure needs.
class CborWriter {
 public:
  explicit constexpr CborWriter(MutableByteSpan bytes) : bytes_(bytes) {}

  void WriteUnsigned(uint64_t value) { WriteHead(0, value); }
  void WriteInteger(int64_t value);
  void WriteBytes(ByteSpan bytes);
  void WriteText(std::string_view text);
  void WriteArrayHead(uint64_t item_count) { WriteHead(4, item_count); }
  void WriteMapHead(uint64_t pair_count) { WriteHead(5, pair_count); }
  void WriteTag(uint64_t tag) { WriteHead(6, tag); }
  void WriteBool(bool value) { WriteHead(7, value ? 21 : 20); }
  void WriteNull() { WriteHead(7, 22); }

  /// An item that is encoded already.
  void WriteEncoded(ByteSpan item) { Append(item); }

  /// The head of a byte string whose bytes the caller will write elsewhere, after what is here.
  void WriteBytesHead(uint64_t length) { WriteHead(2, length); }

  /// What is written between the two calls becomes the content of a byte string. May be nested.
  size_t BeginWrapped() const { return position_; }
  void EndWrapped(size_t begin);

  /// How many bytes all that was written takes, whether it fitted or not.
  size_t size_needed_bytes() const { return position_; }

  /// What was written. kBufferTooSmall: it did not fit; see size_needed_bytes().
  Result<ByteSpan> Finish() const;

 private:
  void WriteHead(uint8_t major, uint64_t argument);
  void Append(ByteSpan bytes);

  MutableByteSpan bytes_;
  size_t position_ = 0;
};

}  // namespace ota::formats
