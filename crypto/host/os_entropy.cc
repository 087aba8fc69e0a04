// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/os_entropy.h"

#include <openssl/rand.h>

namespace ota::crypto {

Status OsEntropy::Fill(MutableByteSpan target) {
  const int filled = RAND_bytes(target.data(), static_cast<int>(target.size()));
  return filled == 1 ? Status::kOk : Status::kEntropyUnavailable;
}

}  // namespace ota::crypto
