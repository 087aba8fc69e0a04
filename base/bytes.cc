// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <algorithm>

namespace ota {

bool AreEqual(ByteSpan first, ByteSpan second) {
  return std::equal(first.begin(), first.end(), second.begin(), second.end());
}

}  // namespace ota
