// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/signature_count.h"

#include <algorithm>
#include <bit>

namespace ota::formats {
ByteSpan FindKey(const KeySet& set, ByteSpan key_id) {
  for (size_t i = 0; i < set.key_count; ++i) {
    const crypto::Sha256Digest digest = crypto::ComputeSha256(set.keys[i]);
    if (AreEqual(ByteSpan(digest).first(kKeyIdBytes), key_id)) return set.keys[i];
  }
  return {};
}

Status BeginSign1(crypto::Es256Verification& verification, ByteSpan key, const CoseSign1& message,
                  ByteSpan external_data) {
  crypto::P256PublicKey point;
  std::copy(key.begin(), key.end(), point.begin());
  return verification.Begin(
      point, ComputeSign1Digest(message.protected_header, external_data, message.payload),
      message.signature);
}

void SignatureCount::Begin(std::span<const ByteSpan> signatures, ByteSpan payload,
                           ByteSpan external_data) {
  verification_.Abandon();
  is_verifying_ = false;
  key_set_count_ = 0;
  first_refusal_ = Status::kOk;
  signed_ = {};
  payload_ = payload;
  external_data_ = external_data;
  signatures_ = signatures;
}

void SignatureCount::AddKeySet(const KeySet& key_set) { key_sets_[key_set_count_++] = &key_set; }

Status SignatureCount::Step(uint32_t operations_max) {
  if (signatures_.empty()) return Status::kOk;
  Status status = is_verifying_ ? Status::kOk : BeginSignature();
  if (status == Status::kOk) {
    is_verifying_ = true;
    status = verification_.Step(operations_max);
    if (status == Status::kBusy) return status;
  }
  is_verifying_ = false;
  if (status == Status::kCryptoMemoryFull) return status;
  if (status == Status::kOk) {
    NoteValid();
  } else {
    NoteRefusal(status);
  }
  signatures_ = signatures_.subspan(1);
  return signatures_.empty() ? Status::kOk : Status::kBusy;
}

Status SignatureCount::BeginSignature() {
  CoseSign1 message;
  OTA_TRY(DecodeCoseSign1(signatures_.front(), message));
  if (!message.is_detached) return Status::kCborTypeUnexpected;
  key_ = {};
  for (size_t i = 0; i < key_set_count_ && key_.empty(); ++i) {
    key_ = FindKey(*key_sets_[i], message.key_id);
  }
  if (key_.empty()) return Status::kSignerUnknown;
  message.payload = payload_;
  return BeginSign1(verification_, key_, message, external_data_);
}

void SignatureCount::NoteRefusal(Status status) {
  if (first_refusal_ == Status::kOk) first_refusal_ = status;
}

void SignatureCount::NoteValid() {
  for (size_t set = 0; set < key_set_count_; ++set) {
    for (size_t i = 0; i < key_sets_[set]->key_count; ++i) {
      if (!AreEqual(key_sets_[set]->keys[i], key_)) continue;
      signed_[set] = static_cast<uint8_t>(signed_[set] | 1u << i);
    }
  }
}

bool SignatureCount::IsThresholdMet(size_t key_set_index) const {
  return std::popcount(signed_[key_set_index]) >= key_sets_[key_set_index]->threshold;
}

bool SignatureCount::has_any() const {
  uint32_t any = 0;
  for (const uint8_t bits : signed_) any |= bits;
  return any != 0;
}

}  // namespace ota::formats
