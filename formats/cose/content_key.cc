// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/content_key.h"

#include "crypto/constant_time.h"
#include "crypto/hkdf.h"

namespace ota::formats {

Status ContentKeyOpening::Take(const CoseRecipient& recipient, KeyDistribution distribution) {
  state_ = State::kIdle;
  wrapped_key_ = recipient.wrapped_key;
  return recipient.distribution == distribution ? Status::kOk : Status::kWrongState;
}

Status ContentKeyOpening::Begin(const CoseRecipient& recipient, const crypto::AesKey& shared_key) {
  OTA_TRY(Take(recipient, KeyDistribution::kAesKeyWrap));
  wrapping_key_ = shared_key;
  state_ = State::kUnwrapping;
  return Status::kOk;
}

Status ContentKeyOpening::Begin(const CoseRecipient& recipient,
                                const crypto::P256PrivateKey& own_key) {
  OTA_TRY(Take(recipient, KeyDistribution::kEcdhEs));
  OTA_TRY(agreement_.Begin(own_key, recipient.ephemeral_key));
  state_ = State::kAgreeing;
  return Status::kOk;
}

Status ContentKeyOpening::Step(uint32_t operations_max, crypto::AesKey& content_key) {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ == State::kAgreeing) {
    crypto::EcdhSecret secret;
    Status status = agreement_.Step(operations_max, secret);
    if (status == Status::kBusy) return status;
    state_ = State::kIdle;
    OTA_TRY(status);
    status = crypto::DeriveKey(secret, {}, kEcdhContextInfo, wrapping_key_);
    crypto::WipeBytes(secret);
    OTA_TRY(status);
  }
  state_ = State::kIdle;
  const Status status = crypto::UnwrapAesKey(wrapping_key_, wrapped_key_, content_key);
  crypto::WipeBytes(wrapping_key_);
  return status;
}

Status WrapContentKey(const crypto::EcdhSecret& secret, const crypto::AesKey& content_key,
                      crypto::WrappedKey& wrapped_key) {
  crypto::AesKey wrapping_key;
  OTA_TRY(crypto::DeriveKey(secret, {}, kEcdhContextInfo, wrapping_key));
  wrapped_key = crypto::WrapAesKey(wrapping_key, content_key);
  crypto::WipeBytes(wrapping_key);
  return Status::kOk;
}

}  // namespace ota::formats
