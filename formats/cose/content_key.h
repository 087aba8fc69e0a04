// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/aes.h"
#include "crypto/ecdh.h"
#include "formats/cose/cose_encrypt.h"

namespace ota::formats {

/// Opens the content key that a sender wrapped for one recipient, in steps as EcdhAgreement has
/// them.
class ContentKeyOpening {
 public:
  /// `entropy` must outlive the opening.
  explicit ContentKeyOpening(Entropy& entropy) : agreement_(entropy) {}

  /// Starts with the key that this device shares with the sender. kWrongState: the recipient gets
  /// its key by ECDH.
  Status Begin(const CoseRecipient& recipient, const crypto::AesKey& shared_key);

  /// Starts with the device's own private key. kWrongState: the recipient gets its key wrapped.
  /// kKeyInvalid, kCryptoMemoryFull: as EcdhAgreement.
  Status Begin(const CoseRecipient& recipient, const crypto::P256PrivateKey& own_key);

  /// kBusy: not done. kOk: `content_key` is filled. kDecryptionFailed: it was wrapped for another
  /// key, or changed. Otherwise as EcdhAgreement. All but kBusy end it.
  Status Step(uint32_t operations_max, crypto::AesKey& content_key);

 private:
  enum class State : uint8_t { kIdle, kAgreeing, kUnwrapping };

  Status Take(const CoseRecipient& recipient, KeyDistribution distribution);

  State state_ = State::kIdle;
  crypto::WrappedKey wrapped_key_ = {};
  crypto::AesKey wrapping_key_ = {};
  crypto::EcdhAgreement agreement_;
};

/// The sender's side of ECDH-ES: wraps `content_key` under what `secret` (agreed between the
/// recipient's key and an ephemeral one) derives to. kCryptoMemoryFull.
Status WrapContentKey(const crypto::EcdhSecret& secret, const crypto::AesKey& content_key,
                      crypto::WrappedKey& wrapped_key);

}  // namespace ota::formats
