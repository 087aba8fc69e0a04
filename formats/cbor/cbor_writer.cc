// SPDX-License-Identifier: Apache-2.0
#include "formats/cbor/cbor_writer.h"

#include <algorithm>
#include <array>

namespace ota::formats {
namespace {

constexpr size_t kHeadBytesMax = 9;

struct EncodedHead {
  std::array<uint8_t, kHeadBytesMax> bytes;
  size_t length;
};

EncodedHead EncodeHead(uint8_t major, uint64_t argument) {
  EncodedHead head = {};
  uint8_t info = static_cast<uint8_t>(argument);
  size_t width = 0;
  if (argument >= 24) {
    info = 24;
    for (width = 1; width < 8 && (argument >> (8 * width)) != 0; width *= 2) ++info;
  }
  head.bytes[0] = static_cast<uint8_t>(major << 5 | info);
  for (size_t i = 0; i < width; ++i) {
    head.bytes[width - i] = static_cast<uint8_t>(argument >> (8 * i));
  }
  head.length = 1 + width;
  return head;
}

}  // namespace

void CborWriter::Append(ByteSpan bytes) {
  if (IsInBounds(position_, bytes.size(), bytes_.size())) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(position_));
  }
  position_ += bytes.size();
}

void CborWriter::WriteHead(uint8_t major, uint64_t argument) {
  const EncodedHead head = EncodeHead(major, argument);
  Append(ByteSpan(head.bytes).first(head.length));
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
  const EncodedHead head = EncodeHead(2, position_ - begin);
  if (IsInBounds(position_, head.length, bytes_.size())) {
    const auto first = bytes_.begin() + static_cast<ptrdiff_t>(begin);
    const auto last = bytes_.begin() + static_cast<ptrdiff_t>(position_);
    std::copy_backward(first, last, last + static_cast<ptrdiff_t>(head.length));
    std::copy_n(head.bytes.begin(), head.length, first);
  }
  position_ += head.length;
}

Result<ByteSpan> CborWriter::Finish() const {
  if (position_ > bytes_.size()) return Status::kBufferTooSmall;
  return ByteSpan(bytes_.first(position_));
}

}  // namespace ota::formats
