// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include <mbedtls/hkdf.h>

#include "crypto/sha256.h"

namespace ota::crypto {

Status DeriveKey(ByteSpan secret, ByteSpan salt, ByteSpan info, MutableByteSpan key) {
  if (key.size() > 255 * kSha256Bytes) return Status::kOutOfRange;
  const int error =
      mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), salt.data(), salt.size(),
                   secret.data(), secret.size(), info.data(), info.size(), key.data(), key.size());
  return error == 0 ? Status::kOk : Status::kCryptoMemoryFull;
}

}  // namespace ota::crypto
