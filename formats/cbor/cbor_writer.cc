// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_writer.h"

#include <algorithm>
#include <array>

#include "formats/cbor/cbor_cursor.h"

namespace ota::formats {
namespace {

constexpr size_t kArgumentBytesMax = 8;

// The head in the last bytes.
struct EncodedHead {
  EncodedHead(uint8_t major, uint64_t argument) {
    const uint32_t info = CborHeadInfo(argument);
    width = info < 24 ? 0 : 1u << (info - 24);
    StoreBe64(&bytes[1], argument);
    bytes[kArgumentBytesMax - width] = static_cast<uint8_t>(uint32_t{major} << 5 | info);
  }
  ByteSpan span() const { return ByteSpan(bytes).last(1 + width); }

  uint32_t width;
  std::array<uint8_t, 1 + kArgumentBytesMax> bytes;
};

}  // namespace

void CborWriter::Append(ByteSpan bytes) {
  if (IsInBounds(position_, bytes.size(), bytes_.size())) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(position_));
  }
  position_ += bytes.size();
}

void CborWriter::WriteHead(uint8_t major, uint64_t argument) {
  Append(EncodedHead(major, argument).span());
}

void CborWriter::WriteInteger(int64_t value) {
  if (value >= 0) {
    WriteHead(0, static_cast<uint64_t>(value));
  } else {
    WriteHead(1, static_cast<uint64_t>(-1 - value));
  }
}

void CborWriter::WriteBytes(ByteSpan bytes) {
  WriteHead(2, bytes.size());
  Append(bytes);
}

void CborWriter::WriteText(std::string_view text) {
  WriteHead(3, text.size());
  Append({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void CborWriter::EndWrapped(size_t begin) {
  const EncodedHead encoded(2, position_ - begin);
  const ByteSpan head = encoded.span();
  if (IsInBounds(position_, head.size(), bytes_.size())) {
    const auto first = bytes_.begin() + static_cast<ptrdiff_t>(begin);
    const auto last = bytes_.begin() + static_cast<ptrdiff_t>(position_);
    std::copy_backward(first, last, last + static_cast<ptrdiff_t>(head.size()));
    std::copy(head.begin(), head.end(), first);
  }
  position_ += head.size();
}

Result<ByteSpan> CborWriter::Finish() const {
  if (position_ > bytes_.size()) return Status::kBufferTooSmall;
  return ByteSpan(bytes_.first(position_));
}

}  // namespace ota::formats
