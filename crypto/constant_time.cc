// SPDX-License-Identifier: Apache-2.0
#include "crypto/constant_time.h"

#include <mbedtls/platform_util.h>

namespace ota::crypto {

bool AreEqualInConstantTime(ByteSpan first, ByteSpan second) {
  if (first.size() != second.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    difference = static_cast<uint8_t>(difference | (first[i] ^ second[i]));
  }
  return difference == 0;
}

void WipeBytes(MutableByteSpan bytes) { mbedtls_platform_zeroize(bytes.data(), bytes.size()); }

}  // namespace ota::crypto
