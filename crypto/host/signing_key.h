// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "crypto/p256.h"
#include "crypto/sha256.h"

namespace ota::crypto {

/// A private key that signs, wherever it lies: in a file, in a hardware module.
class SigningKey {
 public:
  virtual ~SigningKey() = default;

  virtual const P256PublicKey& public_key() const = 0;

  /// ES256 over `digest`, always with the lower s. kKeyInvalid: the key store refused to sign.
  virtual Result<Es256Signature> Sign(const Sha256Digest& digest) = 0;
};

}  // namespace ota::crypto
