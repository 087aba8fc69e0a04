// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/signature_count.h"

#include <algorithm>
#include <bit>

#include "formats/cose/cose_sign1.h"

namespace ota::formats {
namespace {

ByteSpan FindKey(std::span<const KeySet* const> key_sets, ByteSpan key_id) {
  for (const KeySet* const set : key_sets) {
    for (size_t i = 0; i < set->key_count; ++i) {
      if (AreEqual(ComputeKeyId(set->keys[i]), key_id)) return set->keys[i];
    }
  }
  return {};
}

}  // namespace

void SignatureCount::Begin(std::span<const ByteSpan> signatures, ByteSpan payload,
                           ByteSpan external_data, std::span<const KeySet* const> key_sets) {
  verification_.Abandon();
  const size_t count = std::min(signatures.size(), signatures_.size());
  std::copy_n(signatures.begin(), count, signatures_.begin());
  signature_count_ = static_cast<uint8_t>(count);
  key_set_count_ = static_cast<uint8_t>(std::min(key_sets.size(), kKeySetsMax));
  std::copy_n(key_sets.begin(), key_set_count_, key_sets_.begin());
  signed_ = {};
  payload_ = payload;
  external_data_ = external_data;
  next_ = 0;
  is_verifying_ = false;
  first_refusal_ = Status::kOk;
}

Status SignatureCount::Step(uint32_t operations_max) {
  if (next_ == signature_count_) return Status::kOk;
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
  ++next_;
  return next_ == signature_count_ ? Status::kOk : Status::kBusy;
}

Status SignatureCount::BeginSignature() {
  CoseSign1 message;
  OTA_TRY(DecodeCoseSign1(signatures_[next_], message));
  if (!message.is_detached) return Status::kCborTypeUnexpected;
  key_ = FindKey(std::span(key_sets_).first(key_set_count_), message.key_id);
  if (key_.empty()) return Status::kSignerUnknown;
  crypto::P256PublicKey key;
  std::copy(key_.begin(), key_.end(), key.begin());
  return verification_.Begin(key,
                             ComputeSign1Digest(message.protected_header, external_data_, payload_),
                             message.signature);
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
