// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/entropy.h"
#include "crypto/p256.h"

// Elliptic curve Diffie-Hellman on P-256 (SP 800-56A, RFC 9053 section 6.3).

namespace ota::crypto {

/// The x coordinate of the shared point. A secret: wipe it when the keys are derived.
using EcdhSecret = std::array<uint8_t, kP256CoordinateBytes>;

/// One key agreement in steps, with the rules of Es256Verification.
class EcdhAgreement {
 public:
  /// `entropy` blinds the multiplication; it must outlive the agreement.
  explicit EcdhAgreement(Entropy& entropy) : entropy_(entropy) {}
  ~EcdhAgreement();
  EcdhAgreement(const EcdhAgreement&) = delete;
  EcdhAgreement& operator=(const EcdhAgreement&) = delete;

  /// Starts; drops an agreement in progress. The arguments need not outlive the call.
  /// kKeyInvalid: `theirs` is no point of P-256, or `own` is not in [1, n-1]. kCryptoMemoryFull.
  Status Begin(const P256PrivateKey& own, const P256PublicKey& theirs);

  /// Goes on for about `operations_max` field multiplications (0: to the end). kBusy: not done.
  /// kOk: `secret` is filled. kEntropyUnavailable, kCryptoMemoryFull: ended without a secret.
  /// kWrongState: none in progress.
  Status Step(uint32_t operations_max, EcdhSecret& secret);

  void Abandon();

 private:
  Status LoadKeys(const P256PrivateKey& own, const P256PublicKey& theirs);

  Entropy& entropy_;
  alignas(8) std::array<uint8_t, 80 * sizeof(void*)> context_ = {};
  alignas(8) std::array<uint8_t, 16 * sizeof(void*)> restart_ = {};
  bool is_in_progress_ = false;
};

}  // namespace ota::crypto
