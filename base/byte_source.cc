// SPDX-License-Identifier: Apache-2.0
#include "base/byte_source.h"

#include <algorithm>

namespace ota {

Status MemoryByteSource::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), bytes_.size())) return Status::kOutOfRange;
  std::copy_n(bytes_.data() + offset, target.size(), target.data());
  return Status::kOk;
}

}  // namespace ota
