// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/signature_count.h"

#include <bit>

namespace ota::formats {

void SignatureCount::Begin(std::span<const ByteSpan> signatures, ByteSpan payload,
                           ByteSpan external_data) {
  verification_.Abandon();
  is_verifying_ = false;
  key_set_count_ = 0;
  first_refusal_ = Status::kOk;
  signed_ = 0;
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
    signed_ |= candidates_;
  } else if (first_refusal_ == Status::kOk) {
    first_refusal_ = status;
  }
  signatures_ = signatures_.subspan(1);
  return signatures_.empty() ? Status::kOk : Status::kBusy;
}

Status SignatureCount::BeginSignature() {
  CoseSign1 message;
  OTA_TRY(DecodeCoseSign1(signatures_.front(), message));
  if (message.is_detached == payload_.empty()) return Status::kCborTypeUnexpected;
  const ByteSpan key = FindKey(message.key_id);
  if (key.empty()) return Status::kSignerUnknown;
  if (message.is_detached) message.payload = payload_;
  return verification_.Begin(
      key.first<sizeof(crypto::P256PublicKey)>(),
      ComputeSign1Digest(message.protected_header, external_data_, message.payload),
      message.signature);
}

// The first key with that id, and which keys it is in all sets.
ByteSpan SignatureCount::FindKey(ByteSpan key_id) {
  ByteSpan found;
  candidates_ = 0;
  for (size_t set = 0; set < key_set_count_; ++set) {
    for (size_t i = 0; i < key_sets_[set]->key_count; ++i) {
      const ByteSpan key = key_sets_[set]->keys[i];
      if (found.empty() && AreEqual(ComputeKeyId(key), key_id)) found = key;
      if (AreEqual(found, key)) candidates_ |= 1u << (set * kBitsPerSet + i);
    }
  }
  return found;
}

bool SignatureCount::IsThresholdMet(size_t key_set_index) const {
  const auto bits = static_cast<uint8_t>(signed_ >> key_set_index * kBitsPerSet);
  return std::popcount(bits) >= key_sets_[key_set_index]->threshold;
}

}  // namespace ota::formats
