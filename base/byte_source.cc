// SPDX-License-Identifier: Apache-2.0
#include "base/byte_source.h"

#include <cstring>

namespace ota {

const uint8_t* ByteSource::mapped_bytes() const {
  const std::optional<ByteSpan> mapped = Map();
  return mapped.has_value() ? mapped->data() : nullptr;
}

Status MemoryByteSource::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), bytes_.size())) return Status::kOutOfRange;
  if (!target.empty()) std::memcpy(target.data(), bytes_.data() + offset, target.size());
  return Status::kOk;
}

}  // namespace ota
