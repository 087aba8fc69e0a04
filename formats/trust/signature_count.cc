// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/signature_count.h"

#include <bit>
#include <cstring>

namespace ota::formats {
namespace {

constexpr size_t kKeyBytes = sizeof(crypto::P256PublicKey);

}  // namespace

void SignatureCount::Begin(const Signed& signed_bytes) {
  verification_.Abandon();
  is_in_progress_ = true;
  is_verifying_ = false;
  key_set_count_ = 0;
  first_refusal_ = Status::kOk;
  signed_ = 0;
  left_ = signed_bytes;
}

void SignatureCount::AddKeySet(const KeySet& key_set) { key_sets_[key_set_count_++] = &key_set; }

Status SignatureCount::Step(uint32_t operations_max) {
  if (!is_in_progress_) return Status::kWrongState;
  const Status status = StepSignature(operations_max);
  is_in_progress_ = status == Status::kBusy;
  return status;
}

Status SignatureCount::StepSignature(uint32_t operations_max) {
  if (left_.signatures.empty()) return Status::kOk;
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
  left_.signatures = left_.signatures.subspan(1);
  return left_.signatures.empty() ? Status::kOk : Status::kBusy;
}

Status SignatureCount::BeginSignature() {
  CoseSign1 message;
  OTA_TRY(DecodeCoseSign1(left_.signatures.front(), message));
  if (message.is_detached == left_.payload.empty()) return Status::kCborTypeUnexpected;
  const uint8_t* const key = FindKey(message.key_id);
  if (key == nullptr) return Status::kSignerUnknown;
  if (message.is_detached) message.payload = left_.payload;
  return verification_.Begin(
      crypto::P256PublicKeySpan(key, kKeyBytes),
      ComputeSign1Digest(message.protected_header, left_.external_data, message.payload),
      message.signature);
}

// The first key with that id, or null; notes which keys it is in all sets.
const uint8_t* SignatureCount::FindKey(ByteSpan key_id) {
  const uint8_t* found = nullptr;
  candidates_ = 0;
  for (size_t set = 0; set < key_set_count_; ++set) {
    for (size_t i = 0; i < key_sets_[set]->key_count; ++i) {
      const ByteSpan key = key_sets_[set]->keys[i];
      if (found == nullptr && AreEqual(ComputeKeyId(key), key_id)) found = key.data();
      const bool is_same = found != nullptr && std::memcmp(found, key.data(), kKeyBytes) == 0;
      if (is_same) candidates_ |= 1u << (set * kBitsPerSet + i);
    }
  }
  return found;
}

uint32_t SignatureCount::FindThresholdsMet() const {
  uint32_t met = 0;
  for (size_t set = 0; set < key_set_count_; ++set) {
    const auto bits = static_cast<uint8_t>(signed_ >> set * kBitsPerSet);
    if (std::popcount(bits) >= key_sets_[set]->threshold) met |= 1u << set;
  }
  return met;
}

}  // namespace ota::formats
